/** The agents, loaded with all they know of their output at the first question about one: most commands ask none. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Agents } from "../../services/Agents.ts"
import type { Fingerprints } from "../../services/Fingerprints.ts"
import type { Ids } from "../../services/Ids.ts"
import type { SettingsStore } from "../../services/SettingsStore.ts"

const make = Effect.gen(function* () {
  const context = yield* Effect.context<Fingerprints | SettingsStore | Ids>()
  const agents = yield* Effect.cached(
    Effect.flatMap(
      Effect.promise(() => import("./Agents.ts")),
      ({ make }) => Effect.provide(make, context)
    )
  )
  return Agents.of({
    list: (environment) => Effect.flatMap(agents, ({ list }) => list(environment)),
    prepare: (request) => Effect.flatMap(agents, ({ prepare }) => prepare(request)),
    account: (agent, start) => Effect.flatMap(agents, ({ account }) => account(agent, start)),
    hasSessions: (agent) => Effect.flatMap(agents, ({ hasSessions }) => hasSessions(agent)),
    resumes: (agent, sessionId) => Effect.flatMap(agents, ({ resumes }) => resumes(agent, sessionId)),
    isFinal: (agent, exitCode) => Effect.flatMap(agents, ({ isFinal }) => isFinal(agent, exitCode)),
    signals: () => Effect.dieMessage("only a worker reads limits in output"),
    heard: () => Effect.dieMessage("only a worker reads receipts in output"),
    verdict: () => Effect.dieMessage("only a worker judges what an agent did"),
    calls: () => Effect.dieMessage("only a worker reads calls in output"),
    renderer: (agent) => Effect.flatMap(agents, ({ renderer }) => renderer(agent))
  })
})

export const layer: Layer.Layer<Agents, never, Fingerprints | SettingsStore | Ids> = Layer.effect(Agents, make)
