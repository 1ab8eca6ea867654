/** Changes several settings of one agent in one write. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ownOf } from "../../domain/Named.ts"
import { AgentSettings, type WrittenSettings } from "../../domain/settings/Settings.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { withoutSecrets } from "./Configuration.ts"

const encodeAgent = Schema.encodeSync(AgentSettings)

interface AgentChange {
  /** Undefined leaves the default agent as it is; false takes this one's turn away. */
  readonly isDefault: boolean | undefined
  readonly set: AgentSettings
  readonly unset: ReadonlyArray<string>
}

const changed = (file: WrittenSettings, name: string, change: AgentChange): WrittenSettings => {
  const { agents = {}, defaultAgent, ...rest } = file
  const { [name]: before = {}, ...others } = agents
  const kept = Object.entries({ ...before, ...encodeAgent(change.set) }).filter(
    ([key]) => !change.unset.includes(key) || Object.hasOwn(change.set, key)
  )
  const next = kept.length === 0 ? others : { ...others, [name]: Object.fromEntries(kept) }
  const chosen =
    change.isDefault === true ? name : change.isDefault === false && defaultAgent === name ? undefined : defaultAgent
  return {
    ...rest,
    ...(chosen === undefined ? {} : { defaultAgent: chosen }),
    ...(Object.keys(next).length === 0 ? {} : { agents: next })
  }
}

/** The settings of the agent after the change, without secrets. */
export const configureAgent = Effect.fn("configureAgent")(function* (name: string, change: AgentChange) {
  const store = yield* SettingsStore
  const file = yield* store.update((before) => Effect.succeed(changed(before, name, change)))
  const own = ownOf(file.agents ?? {}, name) ?? {}
  const shown = withoutSecrets({ agents: { [name]: own } }).agents
  const settings: unknown = typeof shown === "object" && shown !== null ? Reflect.get(shown, name) : {}
  return Object.fromEntries(Object.entries(typeof settings === "object" && settings !== null ? settings : {}))
})
