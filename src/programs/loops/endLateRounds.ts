/** Ends the work of rounds that waits when the time of its loop is over: it has no process that could be timed. */
import * as Effect from "effect/Effect"
import { LateRounds } from "../../services/LateRounds.ts"

export const endLateRounds = Effect.gen(function* () {
  const ended = yield* (yield* LateRounds).end
  for (const id of ended) yield* Effect.logInfo(`task ${id} cancelled: the time of its loop is over`)
})
