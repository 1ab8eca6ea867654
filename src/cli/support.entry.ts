/** What `beat support` prints: the installation, its checks, settings and the ends of its logs, without keys, prompts and output. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs"
import { release } from "node:os"
import { basename, join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mask } from "../layers/agents/reading/Secrets.ts"
import type { Check } from "../programs/setup/Check.ts"
import { withoutSecrets } from "../programs/setup/Configuration.ts"
import { checkMachine, checkStore } from "../programs/setup/Doctor.ts"
import { Paths } from "../services/Paths.ts"
import { SettingsStore } from "../services/SettingsStore.ts"
import { Tasks } from "../services/Tasks.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { moment } from "../text/FormatDuration.ts"
import { sanitize } from "../text/Sanitize.ts"
import { Stores } from "./framework/Access.ts"
import { Caller } from "./framework/Caller.ts"
import { version } from "./framework/version.ts"

/** Bytes of each log. */
const tailBytes = 32 * 1024

const soundsSecret = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/i

/** The last whole lines of a file. */
const tailOf = (file: string): string => {
  const open = openSync(file, "r")
  try {
    const { size } = fstatSync(open)
    const from = Math.max(0, size - tailBytes)
    const bytes = Buffer.alloc(size - from)
    const read = readSync(open, bytes, 0, bytes.length, from)
    const text = bytes.toString("utf8", 0, read)
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1)
  } finally {
    closeSync(open)
  }
}

const logsIn = (directory: string): ReadonlyArray<readonly [string, string]> => {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".log"))
      .sort()
      .map((name) => [name, tailOf(join(directory, name))] as const)
  } catch {
    return []
  }
}

const checkLine = ({ advice, detail, name, status }: Check): string =>
  `${status.padEnd(5)} ${name}: ${detail}${advice === null ? "" : ` -> ${advice}`}`

/** Where a part cannot be had, its place says why. */
const orReason = <E extends { readonly message: string }, R>(part: Effect.Effect<ReadonlyArray<string>, E, R>) =>
  Effect.catchAll(part, (error) => Effect.succeed([error.message]))

export const supportText = Effect.gen(function* () {
  const { environment } = yield* Caller
  const paths = yield* Paths
  const stores = yield* Stores
  const settings = yield* Effect.either((yield* SettingsStore).get)
  const now = yield* Clock.currentTimeMillis
  const checks = yield* orReason(Effect.map(checkMachine(environment, false), (machine) => machine.map(checkLine)))
  const store = yield* orReason(
    Effect.gen(function* () {
      const counts = yield* (yield* Tasks).counts
      const workers = yield* (yield* WorkerRegistry).workers
      const found = yield* checkStore(false)
      return [
        ...found.map(checkLine),
        `tasks: ${Object.entries(counts)
          .map(([status, count]) => `${count} ${status}`)
          .join(", ")}`,
        ...workers.map(
          (worker) =>
            `worker ${worker.kind}, version ${worker.version}, schema ${worker.schema}, since ${moment(worker.startedAt)}`
        )
      ]
    }).pipe(Effect.provide(stores.read))
  )
  const secrets = [
    ...(settings._tag === "Right"
      ? Object.values(settings.right.agents).flatMap(({ apiKey }) =>
          apiKey === undefined ? [] : [Redacted.value(apiKey)]
        )
      : []),
    ...Object.entries(environment).flatMap(([name, value]) =>
      soundsSecret.test(name) && value.length >= 8 ? [value] : []
    )
  ]
  const home = environment.HOME ?? ""
  const clean = (text: string): string => {
    const masked = mask(sanitize(text), secrets)
    return home.length > 1 ? masked.replaceAll(home, "~") : masked
  }
  const parts: ReadonlyArray<readonly [string, string]> = [
    [
      "installation",
      [
        `beat ${version}, ${moment(now)}`,
        `node ${process.version}, ${process.platform} ${process.arch}, ${release()}`,
        `home ${paths.home}`,
        `variables: ${
          Object.keys(environment)
            .filter((name) => name.startsWith("BACKBEAT_"))
            .sort()
            .join(" ") || "none"
        }`
      ].join("\n")
    ],
    ["checks", [...checks, ...store].join("\n")],
    [
      "settings",
      settings._tag === "Left" ? settings.left.message : JSON.stringify(withoutSecrets(settings.right), null, 2)
    ],
    ...logsIn(paths.logs).map(([name, text]) => [`end of ${basename(name)}`, text] as const)
  ]
  return clean(parts.map(([title, text]) => `== ${title} ==\n${text.trimEnd()}\n`).join("\n"))
})
