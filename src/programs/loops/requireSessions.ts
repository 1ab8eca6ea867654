/** Refuses a loop that continues sessions with an agent that keeps none, before any part of it is stored. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import type { LoopRequest } from "../../domain/loop/LoopRequest.ts"
import { Agents } from "../../services/Agents.ts"

/** `names` are the agents of the steps of a round. */
export const requireSessions = Effect.fn("requireSessions")(function* (
  { session }: Pick<LoopRequest, "session">,
  names: ReadonlyArray<string>
) {
  if (!session) return
  const agents = yield* Agents
  for (const name of names) {
    if (yield* agents.hasSessions(name)) continue
    const problem = `${name} keeps no session that the next round could continue; leave it out`
    return yield* new InvalidInput({ field: "session", problem, example: null })
  }
})
