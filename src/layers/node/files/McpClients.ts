/** The configuration files of MCP clients on this machine. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { McpClients } from "../../../services/McpClients.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { codeOf } from "./SystemCode.ts"

const realPath = (file: string): string | null => {
  try {
    return fs.realpathSync(file)
  } catch {
    return null
  }
}

/** Whether a shell that is asked for `beat` starts this entry file. */
const isOnPath = (entry: string): boolean => {
  const own = realPath(entry)
  const first = (process.env.PATH ?? "")
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, "beat"))
    .find((file) => fs.existsSync(file))
  return first !== undefined && own !== null && realPath(first) === own
}

const applications = (home: string): string => {
  if (process.platform === "darwin") return path.join(home, "Library", "Application Support")
  const configured = process.env.XDG_CONFIG_HOME
  return configured !== undefined && path.isAbsolute(configured) ? configured : path.join(home, ".config")
}

const failed = (file: string, what: string) => (error: unknown) =>
  new ConfigInvalid({ path: file, problem: `${what} (${codeOf(error)})` })

const replaceFile = (given: string, text: string): string | null => {
  const file = realPath(given) ?? given
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const before = fs.statSync(file, { throwIfNoEntry: false })
  const backup = before === undefined ? null : `${file}.before-backbeat`
  if (backup !== null) fs.copyFileSync(file, backup)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    fs.writeFileSync(temporary, text, { mode: before === undefined ? 0o600 : before.mode & 0o777 })
    const opened = fs.openSync(temporary, "r")
    fs.fsyncSync(opened)
    fs.closeSync(opened)
    fs.renameSync(temporary, file)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
  return backup
}

export const layer = Layer.effect(
  McpClients,
  Effect.map(WorkerCommand, ({ command }) =>
    McpClients.of({
      server: Effect.sync(() => {
        const [program, ...args] = command
        return isOnPath(args.at(-1) ?? "")
          ? { command: "beat", args: ["mcp", "start"] }
          : { command: program, args: [...args, "mcp", "start"] }
      }),
      directories: Effect.sync(() => {
        const home = os.homedir()
        return { home, applications: applications(home), codex: process.env.CODEX_HOME || path.join(home, ".codex") }
      }),
      read: (file) =>
        Effect.try({
          try: () => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null),
          catch: failed(file, "cannot be read")
        }),
      replace: (file, text) =>
        Effect.try({ try: () => replaceFile(file, text), catch: failed(file, "cannot be written") })
    })
  )
)
