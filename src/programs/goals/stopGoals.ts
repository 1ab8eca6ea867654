/** Ends goals whose time is over or whose money is spent: a lead that waits has no process that could be timed. */
import * as Effect from "effect/Effect"
import { Goals } from "../../services/Goals.ts"

export const stopGoals = Effect.gen(function* () {
  const stopped = yield* (yield* Goals).stopOverdue
  for (const { loopId, stop } of stopped) yield* Effect.logInfo(`goal ${loopId}: ended by its ${stop}`)
})
