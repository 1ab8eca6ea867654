/** The setting `mcpShell`: a client that may not run shell commands gets no agent `shell`, under any name of an argument. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../domain/Errors.ts"
import { checkingShell } from "../programs/checkingShell.ts"
import { Agents } from "../services/Agents.ts"
import { SettingsStore } from "../services/SettingsStore.ts"

const refused = (field: string) =>
  new InvalidInput({
    field,
    problem: "shell commands are off for MCP clients (setting mcpShell)",
    example: null
  })

/** Refuses a command that the argument `field` gives. */
export const requireShell = Effect.fn("requireShell")(function* (field: string) {
  const settings = yield* (yield* SettingsStore).get
  if (!settings.mcpShell) return yield* refused(field)
})

/** The effect without the agent `shell`, where the setting takes it away; the setting is read when an agent is prepared. */
export const withoutShell = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const agents = yield* Agents
    const store = yield* SettingsStore
    const check = Effect.flatMap(store.get, ({ mcpShell }) => (mcpShell ? Effect.void : refused("agent")))
    const restricted = Agents.of({
      ...checkingShell(agents, check),
      list: (environment) =>
        Effect.zipWith(agents.list(environment), store.get, (all, { mcpShell }) =>
          mcpShell ? all : all.filter(({ name }) => name !== "shell")
        )
    })
    return yield* Effect.provideService(effect, Agents, restricted)
  })
