/** Settings from a file that is only in memory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SynchronizedRef from "effect/SynchronizedRef"
import { type WrittenSettings, withDefaults } from "../../../domain/settings/Settings.ts"
import { decodeSettings, encodeSettings } from "../../../domain/settings/SettingsProblem.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"

const decode = (written: unknown) => decodeSettings("config.json", written)

/** Starts with `file`, on a machine with `cores` processors; no variables override it. */
export const layer = (file: WrittenSettings, cores = 2) =>
  Layer.effect(
    SettingsStore,
    Effect.gen(function* () {
      const ref = yield* SynchronizedRef.make(yield* Effect.orDie(decode(file)))
      return SettingsStore.of({
        get: Effect.map(SynchronizedRef.get(ref), (settings) => withDefaults(settings, cores)),
        file: SynchronizedRef.get(ref),
        update: (change) =>
          SynchronizedRef.updateAndGetEffect(ref, (settings) =>
            Effect.flatMap(change(encodeSettings(settings)), decode)
          )
      })
    })
  )
