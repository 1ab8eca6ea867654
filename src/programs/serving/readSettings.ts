/** The settings that a worker goes by, while its config file may be broken. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Settings } from "../../domain/settings/Settings.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"

export interface KnownSettings {
  readonly settings: Settings
  /** What is wrong with the config file now. */
  readonly problem: string | null
}

/** The effective settings; a broken config file keeps the previous ones and is reported once. */
export const readSettings = Effect.fn("pool.readSettings")(function* (last: Ref.Ref<KnownSettings>) {
  const store = yield* SettingsStore
  const known = yield* Ref.get(last)
  const read = yield* Effect.either(store.get)
  if (read._tag === "Right") {
    yield* Ref.set(last, { settings: read.right, problem: null })
    return read.right
  }
  const problem = read.left.message
  if (problem !== known.problem) yield* Effect.logWarning(`settings unchanged: ${problem}`)
  yield* Ref.set(last, { settings: known.settings, problem })
  return known.settings
})
