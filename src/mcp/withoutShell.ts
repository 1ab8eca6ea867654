/** The setting `mcpShell`: a client that may not run shell commands gets no agent `shell`, under any name of an argument. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../domain/Errors.ts"
import { checkingShell } from "../programs/checkingShell.ts"
import { Agents } from "../services/Agents.ts"
import { SettingsStore } from "../services/SettingsStore.ts"

const off = "shell commands are off for MCP clients (setting mcpShell)"

const refused = (field: string, because = "") => new InvalidInput({ field, problem: `${off}${because}`, example: null })

/** Refuses a command that the argument `field` gives; `because` says why it is one, where that is not plain. */
export const requireShell = Effect.fn("requireShell")(function* (field: string, because = "") {
  const settings = yield* (yield* SettingsStore).get
  if (!settings.mcpShell) return yield* refused(field, because)
})

const decides = ", and a variable can decide which program runs (PATH, NODE_OPTIONS, LD_PRELOAD): leave it out"

/**
 * Refuses what makes a task run a command by another way than its agent. No variable is let through: programs read too many to
 * name those that load code. A fallback is prepared by a worker, when no client is there to be refused.
 */
export const requireShellFor = Effect.fn("requireShellFor")(function* (given: {
  readonly env?: { readonly [name: string]: string } | undefined
  readonly fallback?: ReadonlyArray<string> | undefined
}) {
  if (Object.keys(given.env ?? {}).length > 0) yield* requireShell("env", decides)
  if (given.fallback?.includes("shell") === true) yield* requireShell("fallback")
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
