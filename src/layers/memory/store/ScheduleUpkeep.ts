/** What is done with all schedules of the in-memory state: put right after a clock that was set back, and forgotten. */
import { clockSetBack, fireTime, isTimeOf, strayed } from "../../../domain/schedule/Firing.ts"
import type { Schedule } from "../../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { isLive, withSchedule } from "./ScheduleChecks.ts"
import { executionsOf, isNew, note } from "./ScheduleState.ts"
import { type State, without } from "./Store.ts"

/** A moment next to the schedule's own times that has no execution. */
export const freeMoment = (state: State, { id, timing }: Pick<Schedule, "id" | "timing">, now: number): number => {
  let at = now
  while (isTimeOf(timing, at) || !isNew(state, id, at)) at += 1
  return at
}

export const allPutRight = (before: State, now: number): readonly [ReadonlyArray<ScheduleId>, State] => {
  const moved: Array<ScheduleId> = []
  let state = before
  for (const stored of before.schedules.values()) {
    const { schedule } = stored
    const { follows, id, nextDueAt, nextFireAt, status } = schedule
    if (status !== "active" || nextDueAt === null) continue
    const right = strayed(schedule, now)
    if (right !== null) {
      const dueAt = freeMoment(state, schedule, now)
      state = note(state, { dueAt, status: "missed", reason: clockSetBack, scheduleId: id, at: now })[1]
      state = withSchedule(state, stored, { nextDueAt: right.nextDueAt, nextFireAt: right.nextFireAt })
      moved.push(id)
    } else if (follows !== null && (nextFireAt ?? 0) > fireTime(schedule, nextDueAt)) {
      state = withSchedule(state, stored, { nextFireAt: fireTime(schedule, nextDueAt) })
    }
  }
  return [moved, state]
}

/** Schedules that were over before `endedBefore`, and that no other one follows which still may run. */
export const forgettable = (state: State, endedBefore: number, limit: number): ReadonlyArray<ScheduleId> => {
  const all = Array.from(state.schedules.values(), ({ schedule }) => schedule)
  const keeps = ({ status, updatedAt }: Schedule) =>
    isLive(status) || (status !== "cancelled" && updatedAt >= endedBefore)
  return all
    .filter(({ id, status, updatedAt }) => {
      const open = executionsOf(state, id).some((execution) => execution.status === "running")
      const followed = all.some((other) => other.follows === id && keeps(other))
      return !isLive(status) && updatedAt < endedBefore && !open && !followed
    })
    .slice(0, limit)
    .map(({ id }) => id)
}

/** The state without a schedule and its history. */
export const forgotten = (from: State, id: ScheduleId): State => ({
  ...from,
  schedules: new Map(
    Array.from(without(from.schedules, id), ([other, { schedule, work }]) => {
      const follows = schedule.follows === id ? null : schedule.follows
      return [other, { schedule: { ...schedule, follows }, work }] as const
    })
  ),
  executions: without(from.executions, id)
})
