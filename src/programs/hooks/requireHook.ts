/** The hook of a name, from the settings. */
import * as Effect from "effect/Effect"
import { hooksOf } from "../../domain/hooks/Hook.ts"
import { HookNotFound } from "../../domain/hooks/HookErrors.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"

/** All of them, by name. */
export const allHooks = Effect.gen(function* () {
  const { hooks } = yield* (yield* SettingsStore).get
  return [...hooksOf(hooks)].sort((one, other) => (one.name < other.name ? -1 : 1))
})

export const requireHook = Effect.fn("requireHook")(function* (name: string) {
  const hooks = yield* allHooks
  const found = hooks.find((hook) => hook.name === name)
  return found ?? (yield* new HookNotFound({ name, known: hooks.map((hook) => hook.name) }))
})
