/** Schedules with everything filled in that a test does not care about, and what tests do with them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { NewSchedule, Schedule } from "../../src/domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../src/domain/schedule/ScheduleId.ts"
import { type FireAnswer, Schedules } from "../../src/services/Schedules.ts"
import { newTask } from "./tasks.ts"

export const minute = 60_000
export const hour = 60 * minute

/** Every minute from now on, unless told otherwise. */
export const newSchedule = (overrides: Partial<NewSchedule> = {}): NewSchedule => ({
  name: null,
  work: { kind: "task", task: newTask() },
  createdBy: "tester",
  timing: { kind: "every", everyMs: minute, anchor: 0, timezone: "UTC" },
  missed: "skip",
  graceMs: 5 * minute,
  overlap: "allow",
  jitterMs: 0,
  maxRuns: null,
  expiresAt: null,
  follows: null,
  ...overrides
})

export const createSchedule = (overrides: Partial<NewSchedule> = {}) =>
  Effect.flatMap(Schedules, (schedules) => schedules.create(newSchedule(overrides)))

/** Fires what is due now, one time of each schedule, as long as there is something to do. */
export const fireDue = Effect.gen(function* () {
  const schedules = yield* Schedules
  const answers: Array<FireAnswer> = []
  for (let round = 0; round < 1000; round += 1) {
    const due = yield* schedules.due(yield* Clock.currentTimeMillis, 100)
    if (due.length === 0) return answers
    answers.push(...(yield* schedules.fire(due)))
  }
  return yield* Effect.dieMessage("there is no end of what is due")
})

/** A minute passes, and what is due by then is fired. */
export const fireInAMinute = Effect.zipRight(TestClock.adjust(minute), fireDue)

export const historyOf = ({ id }: Pick<Schedule, "id">) =>
  Effect.flatMap(Schedules, (schedules) =>
    Effect.map(schedules.history(id, { limit: 1000, before: null }), (all) => all.toReversed())
  )

/** `dueAt` and status of each execution, the oldest first. */
export const storyOf = (schedule: { readonly id: ScheduleId }) =>
  Effect.map(historyOf(schedule), (all) => all.map(({ dueAt, status }) => [dueAt, status] as const))
