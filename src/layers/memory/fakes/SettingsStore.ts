/** Settings from a file that is only in memory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SynchronizedRef from "effect/SynchronizedRef"
import { type SettingsFile, withDefaults } from "../../../domain/settings/Settings.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"

/** Starts with `file`, on a machine with `cores` processors; no variables override it. */
export const layer = (file: SettingsFile, cores = 2) =>
  Layer.effect(
    SettingsStore,
    Effect.map(SynchronizedRef.make(file), (ref) => {
      let last = { written: file, settings: withDefaults(file, cores) }
      return SettingsStore.of({
        get: Effect.map(SynchronizedRef.get(ref), (written) => {
          if (last.written !== written) last = { written, settings: withDefaults(written, cores) }
          return last.settings
        }),
        file: SynchronizedRef.get(ref),
        update: (change) => SynchronizedRef.updateAndGetEffect(ref, change)
      })
    })
  )
