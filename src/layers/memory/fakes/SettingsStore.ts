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
    Effect.map(SynchronizedRef.make(file), (ref) =>
      SettingsStore.of({
        get: Effect.map(SynchronizedRef.get(ref), (settings) => withDefaults(settings, cores)),
        file: SynchronizedRef.get(ref),
        update: (change) => SynchronizedRef.updateAndGetEffect(ref, change)
      })
    )
  )
