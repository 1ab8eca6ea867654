/** Changes several settings of an agent in one write. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentUnknown } from "../../domain/Errors.ts"
import { AgentSettings } from "../../domain/settings/Settings.ts"
import { AgentInfo } from "../../domain/task/Agent.ts"
import { configureAgent as configure } from "../../programs/setup/configureAgent.ts"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Agents } from "../../services/Agents.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"
import { requireShell } from "../withoutShell.ts"

const settings = Schema.Literal("apiKey", "baseUrl", "model", "args", "env", "program", "command", "retries", "stallMs")

const Output = Schema.Struct({
  agent: AgentInfo,
  /** The new content of the config file; API keys and variables are hidden. */
  settings: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})

export const configureAgent = tool({
  name: "ConfigureAgent",
  title: "Configure an agent",
  description: "Change an agent's settings in one write and return them; keys are stored privately, never shown.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    agent: Schema.NonEmptyString,
    default: Schema.optional(Schema.Boolean.annotations({ description: "Make it the default agent" })),
    set: Schema.optional(AgentSettings.annotations({ identifier: "AgentSettings" })),
    unset: Schema.optional(Schema.Array(settings))
  }),
  output: Output,
  example: { agent: "claude", default: true, set: { model: "opus" }, unset: ["baseUrl"] },
  handle: Effect.fn("ConfigureAgent")(function* (input) {
    const agents = yield* Agents
    const session = yield* Session
    yield* requireOutside(submitterOf(session.environment), "configure agents")
    // Each of these decides which program runs.
    for (const field of ["command", "program", "args", "env"] as const) {
      if (input.set?.[field] !== undefined || input.unset?.includes(field)) yield* requireShell(field)
    }
    const before = yield* agents.list(session.environment)
    if (input.set?.command === undefined && before.every(({ name }) => name !== input.agent)) {
      return yield* new AgentUnknown({ agent: input.agent, known: before.map(({ name }) => name) })
    }
    const now = yield* configure(input.agent, {
      isDefault: input.default,
      set: input.set ?? {},
      unset: input.unset ?? []
    })
    const known = yield* agents.list(session.environment)
    const agent = known.find(({ name }) => name === input.agent)
    if (agent === undefined) {
      return yield* new AgentUnknown({ agent: input.agent, known: known.map(({ name }) => name) })
    }
    return { agent, settings: now }
  })
})
