/**
 * The settings: one JSON file, `BACKBEAT_*` variables on top. Not read by `Config`, whose messages would know neither bounds nor examples:
 * docs/decisions/0013-own-file-ports.md.
 */
import { isUtf8 } from "node:buffer"
import { readFileSync, statSync } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { repeatedKey } from "../../../domain/settings/repeatedKey.ts"
import { type Settings, type SettingsFile, withDefaults } from "../../../domain/settings/Settings.ts"
import { decodeSettings, encodeSettings } from "../../../domain/settings/SettingsProblem.ts"
import { fromVariables, type Variables } from "../../../domain/settings/SettingVariables.ts"
import { Host } from "../../../services/Host.ts"
import { Paths } from "../../../services/Paths.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"
import { directoryOf, replaceFile } from "./AtomicFile.ts"
import { withFileLock } from "./FileLock.ts"
import { foreignFile, requireOwner, untrustedOwner } from "./Ownership.ts"
import { closeToOthers, makePrivateDirectory } from "./PrivateDirectory.ts"
import { codeOf, inWords } from "./SystemCode.ts"

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
      const found = statSync(path)
      if (!found.isFile()) return new ConfigInvalid({ path, problem: "is not a regular file" })
      // What it names, such as the commands of hooks, runs as this user.
      const foreign = untrustedOwner(path, found.uid)
      if (foreign !== null)
        return new ConfigInvalid({ path, problem: `${foreign}: remove it, or make it yours with chown` })
      const bytes = readFileSync(path)
      // Decoded anyway, it would be written back with other characters.
      return isUtf8(bytes)
        ? Effect.succeed(bytes.toString())
        : new ConfigInvalid({ path, problem: "is not UTF-8 text" })
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
      closeToOthers(dirname(path))
      replaceFile(path, text, { mode: 0o600 })
    },
    catch: (error) => new ConfigInvalid({ path, problem: `cannot be written ${inWords(error)}` })
  })

const make = (variables: Variables) =>
  Effect.gen(function* () {
    const { config, database } = yield* Paths
    const host = yield* Host

    const written = (text: string | null) => (text === null ? Either.right({}) : parse(config, text))
    const file = Effect.flatMap(readText(config), written).pipe(Effect.withSpan("SettingsStore.file"))

    /** The settings that a change starts from, as the file has them: with nothing in it that would be lost. */
    const toChange = Effect.gen(function* () {
      const text = yield* readText(config)
      const settings = yield* written(text)
      const key = repeatedKey(text ?? "")
      if (key === null) return encodeSettings(settings)
      const problem = `has '${key}' twice in one object, of which only the last counts. Remove one of them, then change the settings`
      return yield* new ConfigInvalid({ path: config, problem })
    })

    /** What the file was last read as: a worker asks each second, and nearly always it is the same text. */
    let last: { readonly text: string | null; readonly cores: number; readonly settings: Settings } | null = null

    const locked = withFileLock(`${config}.lock`, { waitMs: 10_000, staleMs: 5_000 })

    return SettingsStore.of({
      file,
      get: Effect.gen(function* () {
        const text = yield* readText(config)
        const cores = yield* host.cores
        if (last !== null && last.text === text && last.cores === cores) return last.settings
        const settings = { ...(yield* written(text)), ...(yield* fromVariables(variables)) }
        last = { text, cores, settings: withDefaults(settings, cores) }
        return last.settings
      }).pipe(Effect.withSpan("SettingsStore.get")),
      update: Effect.fn("SettingsStore.update")(function* (change) {
        // Before the lock: it is a file next to the settings. Root would take them away from their user.
        yield* requireOwner(config, () => foreignFile(config, database))
        return yield* Effect.gen(function* () {
          const changed = yield* decodeSettings(config, yield* change(yield* toChange))
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
