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
      const first = yield* Effect.orDie(decode(file))
      const ref = yield* SynchronizedRef.make(first)
      let last = { written: first, settings: withDefaults(first, cores) }
      return SettingsStore.of({
        get: Effect.map(SynchronizedRef.get(ref), (written) => {
          if (last.written !== written) last = { written, settings: withDefaults(written, cores) }
          return last.settings
        }),
        file: SynchronizedRef.get(ref),
        update: (change) =>
          SynchronizedRef.updateAndGetEffect(ref, (settings) =>
            Effect.flatMap(change(encodeSettings(settings)), decode)
          )
      })
    })
  )
