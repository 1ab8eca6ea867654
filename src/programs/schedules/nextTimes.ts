/** The times at which something may start without a commit: a task's start time, a schedule's next fire, the end of a pause, a new period of a budget. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Schedules } from "../../services/Schedules.ts"
import { Tasks } from "../../services/Tasks.ts"

export const nextTimes = Effect.fn("nextTimes")(function* (now: number) {
  const due = yield* (yield* Tasks).nextDue(now)
  const fires = yield* (yield* Schedules).nextFire
  const opening = yield* (yield* Gates).nextOpening
  const period = yield* (yield* Budgets).nextOpening
  return { fires, others: [due, opening, period].flatMap(Option.toArray) }
})
