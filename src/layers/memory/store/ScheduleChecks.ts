/** What may be done with a schedule on the in-memory state, and what it waits for. */
import * as Either from "effect/Either"
import { InvalidInput } from "../../../domain/Errors.ts"
import { upcomingAfter } from "../../../domain/schedule/Firing.ts"
import type { Schedule, ScheduleStatus } from "../../../domain/schedule/Schedule.ts"
import { ScheduleNotFound } from "../../../domain/schedule/ScheduleErrors.ts"
import type { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { NewDependency } from "../../../domain/task/NewTask.ts"
import { executionsOf, onSuccess } from "./ScheduleState.ts"
import { put, type State, type StoredSchedule } from "./Store.ts"

export const retiming = ["timing", "jitterMs", "maxRuns", "expiresAt"] as const

export const isLive = (status: ScheduleStatus) => status === "active" || status === "paused"

const missing = (reference: string) => new ScheduleNotFound({ reference, candidates: [] })

export const find = (state: State, id: ScheduleId): Either.Either<StoredSchedule, ScheduleNotFound> =>
  Either.fromNullable(state.schedules.get(id), () => missing(id))

export const withSchedule = (state: State, stored: StoredSchedule, fields: Partial<Schedule>): State => ({
  ...state,
  schedules: put(state.schedules, stored.schedule.id, { ...stored, schedule: { ...stored.schedule, ...fields } })
})

const invalid = (field: string, problem: string) => Either.left(new InvalidInput({ field, problem, example: null }))

export const check = (state: State, schedule: Schedule): Either.Either<void, InvalidInput> => {
  const all = Array.from(state.schedules.values(), (stored) => stored.schedule)
  const namesake = all.find(
    ({ id, name, status }) => name !== null && name === schedule.name && id !== schedule.id && isLive(status)
  )
  if (namesake !== undefined)
    return invalid("name", `'${schedule.name}' is the name of schedule ${namesake.id} already`)
  for (let above = schedule.follows; above !== null; ) {
    if (above === schedule.id) return invalid("after", "the schedules would follow each other in a circle")
    const leader: Schedule | undefined = state.schedules.get(above)?.schedule
    if (leader === undefined) return invalid("after", `there is no schedule ${above}`)
    if (leader.status === "cancelled" && above === schedule.follows)
      return invalid("after", `schedule ${above} is cancelled`)
    above = leader.follows
  }
  return Either.void
}

export const scheduled = (
  schedule: Schedule,
  now: number,
  next = upcomingAfter
): Either.Either<Schedule, InvalidInput> =>
  Either.mapBoth(next(schedule, now), {
    onLeft: (problem) => new InvalidInput({ field: "schedule", problem, example: null }),
    onRight: (upcoming) => ({ ...schedule, ...upcoming })
  })

interface Leading {
  readonly first: Schedule | null
  readonly refused: string | null
  readonly edges: ReadonlyArray<NewDependency>
}

export const leading = (state: State, { follows }: Schedule, dueAt: number): Leading => {
  const free: Leading = { first: null, refused: null, edges: [] }
  const leader = follows === null ? undefined : state.schedules.get(follows)?.schedule
  if (leader === undefined) return free
  if (leader.status === "active" && leader.nextDueAt !== null && leader.nextDueAt <= dueAt)
    return { ...free, first: leader }
  const newest = executionsOf(state, leader.id).findLast(
    (execution) => execution.dueAt <= dueAt && execution.status !== "skipped" && execution.status !== "missed"
  )
  const called = `the run of ${leader.name ?? leader.id} before it`
  if (newest?.status === "failed") return { ...free, refused: `${called} failed` }
  if (newest?.status === "cancelled") return { ...free, refused: `${called} was cancelled` }
  return newest?.status === "running" ? { ...free, edges: onSuccess(state, newest) } : free
}
