/** Adds hooks to the settings, changes whether they get anything, and removes them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { InvalidInput } from "../../domain/Errors.ts"
import type { HookSettings } from "../../domain/hooks/Hook.ts"
import { Deliveries } from "../../services/Deliveries.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { allHooks, requireHook } from "./requireHook.ts"

/** The first notice of the hook is the first one after this call. `hook` is checked here. */
export const addHook = Effect.fn("addHook")(function* (name: string, hook: object) {
  const settings = yield* SettingsStore
  const hooks = yield* allHooks
  if (hooks.some((known) => known.name === name)) {
    return yield* new InvalidInput({
      field: "name",
      problem: `there is a hook '${name}' already. To change it: beat config set hooks.${name}.on '["failed"]'`,
      example: null
    })
  }
  yield* settings.update((file) => Effect.succeed({ ...file, hooks: { ...file.hooks, [name]: hook } }))
  const added = yield* requireHook(name)
  yield* (yield* Deliveries).decide([added])
  return added
})

const change = Effect.fn("changeHook")(function* (
  name: string,
  next: (hook: typeof HookSettings.Encoded) => typeof HookSettings.Encoded | undefined
) {
  yield* requireHook(name)
  const settings = yield* SettingsStore
  yield* settings.update((file) => {
    const { [name]: hook, ...others } = file.hooks ?? {}
    const changed = hook === undefined ? undefined : next(hook)
    return Either.right({ ...file, hooks: changed === undefined ? others : { ...file.hooks, [name]: changed } })
  })
})

export const setEnabled = (name: string, enabled: boolean) =>
  change(name, ({ enabled: _, ...hook }) => (enabled ? hook : { ...hook, enabled }))

/** Gives up the messages to the hook that are not sent yet. */
export const removeHook = Effect.fn("removeHook")(function* (name: string) {
  yield* change(name, () => undefined)
  yield* (yield* Deliveries).forget(name)
})
