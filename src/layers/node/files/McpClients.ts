/**
 * The configuration files of MCP clients on this machine.
 * Not `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { McpClients } from "../../../services/McpClients.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { directoryOf, replaceFile } from "./AtomicFile.ts"
import { makePrivateDirectory } from "./PrivateDirectory.ts"
import { workingDirectory } from "./Surroundings.ts"
import { inWords } from "./SystemCode.ts"
import { noHome, userHome } from "./UserHome.ts"

const realPath = (file: string): string | null => {
  try {
    return fs.realpathSync(file)
  } catch {
    return null
  }
}

/** The first program of that name on the PATH, where it is this very file. */
const onPath = (name: string, file: string): string | null => {
  const own = realPath(file)
  const first = (process.env.PATH ?? "")
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, name))
    .find((candidate) => fs.existsSync(candidate))
  return first !== undefined && own !== null && realPath(first) === own ? first : null
}

/** On the PATH of every program, also of one that a desktop starts; those of macOS do not search /usr/local/bin. */
const everywhere = new Set(
  process.platform === "darwin" ? ["/usr/bin", "/bin"] : ["/usr/bin", "/bin", "/usr/local/bin"]
)

const isEverywhere = (file: string | null): boolean => file !== null && everywhere.has(path.dirname(file))

/** The variables that choose the database and the settings, where they were set. */
const homeVariables = (): Record<string, string> => {
  const names = process.env.BACKBEAT_HOME ? ["BACKBEAT_HOME"] : ["XDG_STATE_HOME", "XDG_CONFIG_HOME"]
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value !== undefined && path.isAbsolute(value) ? [[name, value]] : []
    })
  )
}

/** A directory of the user's that a variable may name. */
const directoryBy = (name: string, usual: string): string => {
  const value = process.env[name]
  return value ? path.resolve(workingDirectory(), value) : usual
}

const failed = (file: string, what: string) => (error: unknown) =>
  error instanceof ConfigInvalid ? error : new ConfigInvalid({ path: file, problem: `${what} ${inWords(error)}` })

/** Every byte counts, so the text keeps its byte order mark, and what is not UTF-8 is not guessed at. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readText = (file: string): string | null => {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return null
  // A pipe or a device has no end: a command would wait for it forever.
  if (!found.isFile()) throw new ConfigInvalid({ path: file, problem: "is not a regular file" })
  const bytes = fs.readFileSync(file)
  try {
    return decoder.decode(bytes)
  } catch {
    const problem = "is not UTF-8 text; add the entry by hand: 'beat mcp config' with the name of the client prints it"
    throw new ConfigInvalid({ path: file, problem })
  }
}

/** Returns where the file that was there is kept. */
const writeText = (given: string, before: string | null, text: string): string | null => {
  // Clients run what these directories name, so a umask must not let others write there.
  makePrivateDirectory(directoryOf(given))
  const stat = fs.statSync(given, { throwIfNoEntry: false })
  let backup: string | null = null
  replaceFile(given, text, {
    mode: stat === undefined ? 0o600 : stat.mode & 0o777,
    // Root may be setting up another user's client.
    owner: stat === undefined || stat.uid === process.geteuid?.() ? null : stat,
    check: (file) => {
      // Clients write these files too.
      if (readText(file) !== before) {
        throw new ConfigInvalid({ path: given, problem: "was changed by another program meanwhile. Run this again." })
      }
      if (stat === undefined) return
      backup = `${file}.before-backbeat`
      fs.copyFileSync(file, backup)
    }
  })
  return backup
}

const removeFile = (file: string, before: string): void => {
  if (readText(file) !== before) {
    throw new ConfigInvalid({ path: file, problem: "was changed by another program meanwhile. Run this again." })
  }
  fs.rmSync(file)
  fs.rmSync(`${file}.before-backbeat`, { force: true })
  const directory = path.dirname(file)
  if (fs.readdirSync(directory).length === 0) fs.rmdirSync(directory)
}

export const layer = Layer.effect(
  McpClients,
  Effect.map(WorkerCommand, ({ command }) =>
    McpClients.of({
      server: Effect.sync(() => {
        const program = command[0]
        const entry = command.at(-1) ?? ""
        const [node, beat] = [onPath("node", program), onPath("beat", entry)]
        const env = homeVariables()
        return isEverywhere(node) && isEverywhere(beat)
          ? { command: "beat", args: ["mcp", "start"], env }
          : { command: node ?? program, args: [beat ?? entry, "mcp", "start"], env }
      }),
      directories: Effect.suspend(() => {
        const home = userHome()
        if (home === null) return new ConfigInvalid({ path: "HOME", problem: noHome })
        const configured = process.env.XDG_CONFIG_HOME
        const config = configured !== undefined && path.isAbsolute(configured) ? configured : path.join(home, ".config")
        return Effect.succeed({
          home,
          config,
          applications: process.platform === "darwin" ? path.join(home, "Library", "Application Support") : config,
          codex: directoryBy("CODEX_HOME", path.join(home, ".codex")),
          copilot: directoryBy("COPILOT_HOME", path.join(home, ".copilot")),
          claude: directoryBy("CLAUDE_CONFIG_DIR", path.join(home, ".claude"))
        })
      }),
      read: (file) => Effect.try({ try: () => readText(file), catch: failed(file, "cannot be read") }),
      replace: (file, before, text) =>
        Effect.try({ try: () => writeText(file, before, text), catch: failed(file, "cannot be written") }),
      remove: (file, before) =>
        Effect.try({ try: () => removeFile(file, before), catch: failed(file, "cannot be removed") })
    })
  )
)
