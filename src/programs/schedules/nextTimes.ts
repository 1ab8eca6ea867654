/** The times at which something may start without a commit: the next fire of a schedule, and what `DueTimes` lists. */
import * as Effect from "effect/Effect"
import { DueTimes } from "../../services/DueTimes.ts"
import { Schedules } from "../../services/Schedules.ts"

/** `since`: when the worker began to look. What became due during the look is listed too. */
export const nextTimes = Effect.fn("nextTimes")(function* (since: number) {
  const fires = yield* (yield* Schedules).nextFire
  const due = yield* (yield* DueTimes).next(since)
  return { fires, due }
})
