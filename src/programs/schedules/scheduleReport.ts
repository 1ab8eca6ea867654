/** A report about a schedule: its status, its next times, and its newest execution. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fireTimes, strayed } from "../../domain/schedule/Firing.ts"
import { Execution, Schedule, type ScheduleStatus } from "../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { Timestamp } from "../../domain/task/Task.ts"
import { Schedules } from "../../services/Schedules.ts"

const strayedText =
  "Its next time is further away than its rule allows: the clock was set back. A worker puts that right when it looks"

/** The number of reported future times. */
const shownTimes = 5

export const ScheduleReport = Schema.Struct({
  ...Schedule.fields,
  /** The next fire times, at most five; for one that is paused, those it would have from now. */
  times: Schema.Array(Timestamp),
  /** The newest execution. */
  last: Schema.NullOr(Execution),
  /** Runs in progress. */
  open: Schema.Int,
  /** What keeps it from its times although it is active; null where all is well. */
  problem: Schema.NullOr(Schema.String)
}).annotations({ identifier: "ScheduleReport" })
export type ScheduleReport = typeof ScheduleReport.Type

export const SchedulePage = Schema.Struct({
  /** Newest first. */
  schedules: Schema.Array(Schedule),
  /** The cursor of the next page; null where this is the last one. */
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "SchedulePage" })
export type SchedulePage = typeof SchedulePage.Type

/** Executions that a board shows of each schedule. */
const shownExecutions = 20

/** The schedules of one page, each with what is to come and what was. */
export const ScheduleBoard = Schema.Struct({
  /** Newest first. */
  schedules: Schema.Array(
    Schema.Struct({
      ...ScheduleReport.fields,
      /** The newest 20, newest first. */
      executions: Schema.Array(Execution)
    }).annotations({ identifier: "ScheduleOnBoard" })
  ),
  /** The cursor of the next page; null where this is the last one. */
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "ScheduleBoard" })
export type ScheduleBoard = typeof ScheduleBoard.Type

export const History = Schema.Struct({
  /** Newest first. */
  executions: Schema.Array(Execution),
  next: Schema.NullOr(Timestamp)
}).annotations({ identifier: "ScheduleHistory" })
export type History = typeof History.Type

export const reportOn = Effect.fn("scheduleReport")(function* (schedule: Schedule) {
  const schedules = yield* Schedules
  const now = yield* Clock.currentTimeMillis
  const { nextDueAt, nextFireAt, status } = schedule
  const later = nextDueAt === null ? [] : fireTimes({ ...schedule, runs: schedule.runs + 1 }, nextDueAt, shownTimes - 1)
  const times =
    nextFireAt !== null ? [nextFireAt, ...later] : status === "paused" ? fireTimes(schedule, now, shownTimes) : []
  const [last] = yield* schedules.history(schedule.id, { limit: 1, before: null })
  const report: ScheduleReport = {
    ...schedule,
    times,
    last: last ?? null,
    open: (yield* schedules.open(schedule.id)).length,
    problem: status === "active" && strayed(schedule, now) !== null ? strayedText : null
  }
  return report
})

export const scheduleReport = Effect.fn("scheduleReport.byId")(function* (id: ScheduleId) {
  const schedules = yield* Schedules
  return yield* reportOn(yield* schedules.get(id))
})

export const schedulePage = Effect.fn("schedulePage")(function* (filter: {
  readonly status: ReadonlyArray<ScheduleStatus>
  readonly limit: number
  readonly before: number | null
}) {
  const schedules = yield* Schedules
  const found = yield* schedules.list({ ...filter, limit: filter.limit + 1 })
  const shown = found.slice(0, filter.limit)
  const page: SchedulePage = {
    schedules: shown,
    next: found.length > shown.length ? (shown.at(-1)?.seq ?? null) : null
  }
  return page
})

export const scheduleHistory = Effect.fn("scheduleHistory")(function* (
  id: ScheduleId,
  { before, limit }: { readonly limit: number; readonly before: number | null }
) {
  const schedules = yield* Schedules
  const found = yield* schedules.history(id, { limit: limit + 1, before })
  const shown = found.slice(0, limit)
  const history: History = {
    executions: shown,
    next: found.length > shown.length ? (shown.at(-1)?.dueAt ?? null) : null
  }
  return history
})

export const scheduleBoard = Effect.fn("scheduleBoard")(function* (filter: Parameters<typeof schedulePage>[0]) {
  const schedules = yield* Schedules
  const page = yield* schedulePage(filter)
  const board: ScheduleBoard = {
    ...page,
    schedules: yield* Effect.forEach(page.schedules, (schedule) =>
      Effect.all({
        report: reportOn(schedule),
        executions: schedules.history(schedule.id, { limit: shownExecutions, before: null })
      }).pipe(Effect.map(({ executions, report }) => ({ ...report, executions })))
    )
  }
  return board
})
