/** Lists the coding agents. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentList } from "../../domain/task/Agent.ts"
import { Agents } from "../../services/Agents.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const listAgents = tool({
  name: "ListAgents",
  title: "List agents",
  description: "List coding agents: installed (path), logged in (credentials), default, how to install or log in.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({}),
  output: AgentList,
  example: {},
  handle: Effect.fn("ListAgents")(function* () {
    const agents = yield* Agents
    const session = yield* Session
    return { agents: yield* agents.list(session.environment) }
  })
})
