/**
 * The service manager of this machine.
 * Its files are not written by `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { Paths } from "../../../services/Paths.ts"
import { type Ran, ServiceSystem } from "../../../services/ServiceSystem.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { makePrivateDirectory } from "../files/PrivateDirectory.ts"
import { inWords } from "../files/SystemCode.ts"
import { registeredHome, userHome } from "../files/UserHome.ts"

const patienceMs = 10_000

const account = () => {
  try {
    const { uid, username } = os.userInfo()
    return { uid, user: username }
  } catch {
    return { uid: process.getuid?.() ?? 0, user: String(process.getuid?.() ?? 0) }
  }
}

const configHome = (home: string): string => {
  const configured = process.env.XDG_CONFIG_HOME
  return configured !== undefined && path.isAbsolute(configured) ? configured : path.join(home, ".config")
}

const managerOf = process.platform === "darwin" ? "launchd" : process.platform === "linux" ? "systemd" : null

const fileIn = (home: string): string =>
  managerOf === "launchd"
    ? path.join(home, "Library", "LaunchAgents", "dev.backbeat.worker.plist")
    : path.join(configHome(home), "systemd", "user", "backbeat.service")

/** What the worker needs to mean this database and these settings; `home` is real and absolute. */
const variables = (home: string): Record<string, string> => {
  const own: Record<string, string> = process.env.BACKBEAT_HOME ? { BACKBEAT_HOME: home } : {}
  for (const name of ["XDG_STATE_HOME", "XDG_CONFIG_HOME"]) {
    const value = process.env[name]
    if (value !== undefined && path.isAbsolute(value)) own[name] = value
  }
  // The manager sets HOME by the password file.
  const user = userHome()
  if (user !== null && user !== registeredHome()) own.HOME = user
  if (process.env.PATH) own.PATH = process.env.PATH
  return own
}

const failed = (file: string, what: string) => (error: unknown) =>
  new ConfigInvalid({ path: file, problem: `${what} ${inWords(error)}` })

const make = Effect.gen(function* () {
  const { command } = yield* WorkerCommand
  const { home } = yield* Paths
  const user = userHome()
  return ServiceSystem.of({
    // A user without a home directory has no services.
    kind: user === null ? null : managerOf,
    file: fileIn(user ?? home),
    ...account(),
    command: command.map((word) => (path.isAbsolute(word) || word.startsWith("-") ? word : path.resolve(word))),
    environment: variables(home),
    read: (file) =>
      Effect.sync(() => {
        try {
          return fs.readFileSync(file, "utf8")
        } catch {
          return null
        }
      }),
    write: (file, text) =>
      Effect.try({
        try: () => {
          // The service manager runs what the file names.
          makePrivateDirectory(path.dirname(file))
          fs.writeFileSync(file, text, { mode: 0o600 })
        },
        catch: failed(file, "cannot be written")
      }),
    remove: (file) =>
      Effect.try({ try: () => fs.rmSync(file, { force: true }), catch: failed(file, "cannot be removed") }),
    run: (program, args) =>
      Effect.async<Ran>((resume) => {
        execFile(program, args, { timeout: patienceMs }, (error, stdout, stderr) => {
          const output = `${stdout}${stderr}`.trim()
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : null
          resume(Effect.succeed({ code, output }))
        })
      })
  })
})

export const layer = Layer.effect(ServiceSystem, make)
