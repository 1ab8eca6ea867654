/**
 * The settings: one JSON file, `BACKBEAT_*` variables on top. Not read by `Config`, whose messages would know neither bounds nor examples:
 * docs/decisions/0013-own-file-ports.md.
 */
import { readFileSync, statSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { type Settings, type SettingsFile, withDefaults } from "../../../domain/settings/Settings.ts"
import { decodeSettings, encodeSettings } from "../../../domain/settings/SettingsProblem.ts"
import { Host } from "../../../services/Host.ts"
import { Paths } from "../../../services/Paths.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"
import { directoryOf, replaceFile } from "./AtomicFile.ts"
import { withFileLock } from "./FileLock.ts"
import { makePrivateDirectory } from "./PrivateDirectory.ts"
import { codeOf, inWords } from "./SystemCode.ts"

/** Which variable sets which setting. */
const settingVariables = {
  BACKBEAT_DEFAULT_AGENT: { key: "defaultAgent", kind: "text" },
  BACKBEAT_MAX_CONCURRENCY: { key: "maxConcurrency", kind: "number" },
  BACKBEAT_MAX_DEPTH: { key: "maxDepth", kind: "number" },
  BACKBEAT_TIMEOUT_MS: { key: "timeoutMs", kind: "number" },
  BACKBEAT_STALL_MS: { key: "stallMs", kind: "number" },
  BACKBEAT_MAX_OUTPUT_BYTES: { key: "maxOutputBytes", kind: "number" },
  BACKBEAT_MAX_SPOOL_BYTES: { key: "maxSpoolBytes", kind: "number" },
  BACKBEAT_GRACE_MS: { key: "graceMs", kind: "number" },
  BACKBEAT_LEFTOVERS: { key: "leftovers", kind: "text" },
  BACKBEAT_CAPTURE: { key: "capture", kind: "text" },
  BACKBEAT_MEMORY_RESERVE_BYTES: { key: "memoryReserveBytes", kind: "number" },
  BACKBEAT_MEMORY_PER_TASK_BYTES: { key: "memoryPerTaskBytes", kind: "number" },
  BACKBEAT_IDLE_MS: { key: "idleMs", kind: "number" },
  BACKBEAT_ASK_PARK_MS: { key: "askParkMs", kind: "number" }
} as const satisfies Record<string, { readonly key: keyof SettingsFile; readonly kind: "text" | "number" }>

type Variables = Readonly<Record<string, string | undefined>>

/** What the variables say; an empty one says nothing. */
const fromVariables = (variables: Variables): Either.Either<SettingsFile, ConfigInvalid> => {
  let settings: SettingsFile = {}
  for (const [variable, { key, kind }] of Object.entries(settingVariables)) {
    const text = variables[variable]?.trim()
    if (text === undefined || text === "") continue
    // Decimal digits alone: `Number` would also take "0x10" and "1e3".
    const value = kind === "number" && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
    const decoded = decodeSettings(variable, { [key]: value })
    if (Either.isLeft(decoded)) {
      const problem = decoded.left.problem.replace(`${key}: `, "")
      return Either.left(new ConfigInvalid({ path: variable, problem }))
    }
    settings = { ...settings, ...decoded.right }
  }
  return Either.right(settings)
}

/** Where in the text JSON stopped making sense. The parser's own message would quote the file, keys and all. */
const syntaxProblem = (text: string, error: unknown): string => {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  if (position === undefined) return 'is not valid JSON. Expected, for example, { "maxConcurrency": 4 }'
  const before = text.slice(0, Number(position)).split("\n")
  return `is not valid JSON at line ${before.length}, column ${(before[before.length - 1]?.length ?? 0) + 1}`
}

/** The file's text; null when there is none. */
const readText = (path: string) =>
  Effect.suspend(() => {
    try {
      // A pipe or a device has no end: a command would wait for it forever.
      if (!statSync(path).isFile()) return new ConfigInvalid({ path, problem: "is not a regular file" })
      return Effect.succeed(readFileSync(path, "utf8"))
    } catch (error) {
      if (codeOf(error) === "ENOENT") return Effect.succeed(null)
      return new ConfigInvalid({ path, problem: `cannot be read ${inWords(error)}` })
    }
  })

const parse = (path: string, text: string): Either.Either<SettingsFile, ConfigInvalid> => {
  const body = text.replace(/^\uFEFF/, "")
  if (body.trim() === "") return Either.right({})
  return Either.flatMap(
    Either.try({
      try: (): unknown => JSON.parse(body),
      catch: (error) => new ConfigInvalid({ path, problem: syntaxProblem(body, error) })
    }),
    (raw) => decodeSettings(path, raw)
  )
}

const write = (path: string, text: string) =>
  Effect.try({
    try: () => {
      makePrivateDirectory(directoryOf(path))
      replaceFile(path, text, { mode: 0o600 })
    },
    catch: (error) => new ConfigInvalid({ path, problem: `cannot be written ${inWords(error)}` })
  })

const make = (variables: Variables) =>
  Effect.gen(function* () {
    const { config } = yield* Paths
    const host = yield* Host

    const file = Effect.gen(function* () {
      const text = yield* readText(config)
      return text === null ? {} : yield* parse(config, text)
    }).pipe(Effect.withSpan("SettingsStore.file"))

    /** What the file was last read as: a worker asks each second, and nearly always it is the same text. */
    let last: { readonly text: string | null; readonly cores: number; readonly settings: Settings } | null = null

    const locked = withFileLock(`${config}.lock`, { waitMs: 10_000, staleMs: 5_000 })

    return SettingsStore.of({
      file,
      get: Effect.gen(function* () {
        const text = yield* readText(config)
        const cores = yield* host.cores
        if (last !== null && last.text === text && last.cores === cores) return last.settings
        const written = text === null ? {} : yield* parse(config, text)
        const overlay = yield* fromVariables(variables)
        last = { text, cores, settings: withDefaults({ ...written, ...overlay }, cores) }
        return last.settings
      }).pipe(Effect.withSpan("SettingsStore.get")),
      update: Effect.fn("SettingsStore.update")(function* (change) {
        return yield* Effect.gen(function* () {
          const changed = yield* decodeSettings(config, yield* change(encodeSettings(yield* file)))
          yield* write(config, `${JSON.stringify(encodeSettings(changed), null, 2)}\n`)
          return changed
        }).pipe(
          locked,
          Effect.catchTag("LockUnavailable", ({ cause }) => {
            const problem =
              cause === null
                ? "stayed locked by another process. Try again."
                : `its directory cannot be written ${inWords(cause)}`
            return new ConfigInvalid({ path: config, problem })
          })
        )
      })
    })
  })

export const layer = Layer.effect(
  SettingsStore,
  Effect.suspend(() => make(process.env))
)

/** With variables of the caller's choice. */
export const layerWith = (variables: Variables) => Layer.effect(SettingsStore, make(variables))
