/** Schedules over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { decide, firstAfter, rowTooLong, standingBefore, upcomingAfter } from "../../../domain/schedule/Firing.ts"
import { type Execution, type Schedule, type ScheduleStatus, summaryOf } from "../../../domain/schedule/Schedule.ts"
import { ScheduleNotFound, ScheduleStateConflict } from "../../../domain/schedule/ScheduleErrors.ts"
import type { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { Ids } from "../../../services/Ids.ts"
import { type Due, type FireAnswer, Schedules } from "../../../services/Schedules.ts"
import { prepareWork } from "./PreparedWork.ts"
import { check, find, isLive, leading, retiming, scheduled, withSchedule } from "./ScheduleChecks.ts"
import { cancelRun, executionsOf, isNew, note, settled, start, whenOver } from "./ScheduleState.ts"
import { allPutRight, forgettable, forgotten, freeMoment } from "./ScheduleUpkeep.ts"
import { put, type State, Store } from "./Store.ts"

const make = Effect.gen(function* () {
  const store = yield* Store
  const ids = yield* Ids

  const newest = (state: State) => Array.from(state.schedules.values(), ({ schedule }) => schedule).reverse()

  /** A step that takes the schedule off the clock. */
  const leave = (
    id: ScheduleId,
    step: string,
    from: ReadonlyArray<ScheduleStatus>,
    to: Pick<Schedule, "status" | "reason">,
    revision: number | null
  ) =>
    store.write((state, now) =>
      Either.gen(function* () {
        const stored = yield* find(state, id)
        const { schedule } = stored
        if (!from.includes(schedule.status) || (revision !== null && revision !== schedule.revision)) {
          return yield* Either.left(new ScheduleStateConflict({ id, step, actual: schedule.status }))
        }
        const fields = { ...to, nextDueAt: null, nextFireAt: null, updatedAt: now, revision: schedule.revision + 1 }
        return [{ ...schedule, ...fields }, withSchedule(state, stored, fields)] as const
      })
    )

  const fireOne = Effect.fn("Schedules.fire")(function* ({ schedule: expected, work }: Due) {
    const ready = yield* prepareWork(ids, work)
    return yield* store.write<FireAnswer, never>((before, now) => {
      const nothing: FireAnswer = { _tag: "Lost" }
      const lost = (state: State) => Either.right([nothing, state] as const)
      const state = settled(before)
      const stored = state.schedules.get(expected.id)
      if (stored === undefined) return lost(state)
      const { schedule } = stored
      const { id, nextDueAt: dueAt, nextFireAt: fireAt } = schedule
      if (schedule.status !== "active" || dueAt === null || fireAt === null || fireAt > now) return lost(state)
      if (schedule.revision !== expected.revision || fireAt !== expected.nextFireAt) return lost(state)
      const { edges, first, refused } = leading(state, schedule, dueAt)
      if (first !== null) {
        const fires = first.nextFireAt ?? now
        if (fires > now) return lost(withSchedule(state, stored, { nextFireAt: fires }))
        return Either.right([{ _tag: "Behind", first: first.id }, state])
      }
      const open = executionsOf(state, id).filter(({ status }) => status === "running")
      const assign = (obstacle: string | null): Either.Either<readonly [FireAnswer, State]> => {
        const decided = decide({ ...schedule, dueAt, fireAt }, { now, open: open.length, refused: obstacle })
        if (Either.isLeft(decided)) {
          const paused = { status: "paused", reason: decided.left, nextDueAt: null, nextFireAt: null } as const
          return lost(withSchedule(state, stored, { ...paused, revision: schedule.revision + 1 }))
        }
        const { recorded, run } = decided.right
        let next = state
        const executions: Array<Execution> = []
        for (const one of recorded) {
          if (!isNew(next, id, one.dueAt)) continue
          const [execution, noted] = note(next, { ...one, scheduleId: id, at: now })
          executions.push(execution)
          next = noted
        }
        let fired: Execution | null = null
        if (run !== null && isNew(next, id, run)) {
          if (schedule.overlap === "cancel-previous") next = open.reduce((at, one) => cancelRun(at, one, now), next)
          const begin = next
          const own = standingBefore(schedule.overlap, open.toReversed()).flatMap((one) => whenOver(begin, one))
          const all = new Map([...own, ...edges].map((edge) => [edge.upstream, edge]))
          const begun = start(
            next,
            { scheduleId: id, dueAt: run, origin: "time", at: now },
            ready,
            work,
            Array.from(all.values()).slice(0, 100)
          )
          // The captured task was accepted before: only the dependencies of this run can make it too long.
          if (Either.isLeft(begun)) return assign(rowTooLong)
          fired = begun.right[0]
          next = begun.right[1]
        }
        // A time that was recorded before is not a run: it does not count towards the limit.
        const after = run === null || fired !== null ? null : Either.getOrNull(upcomingAfter(schedule, run))
        const upcoming = after ?? decided.right.upcoming
        const updatedAt = upcoming.status === "active" ? schedule.updatedAt : now
        next = withSchedule(next, stored, {
          ...upcoming,
          reason: null,
          updatedAt,
          runs: schedule.runs + (fired === null ? 0 : 1)
        })
        return Either.right([
          fired === null ? { _tag: "Recorded", executions } : { _tag: "Fired", execution: fired },
          next
        ])
      }
      return assign(refused)
    })
  })

  return Schedules.of({
    create: Effect.fn("Schedules.create")(function* ({ createdBy, name, work, ...rules }) {
      const id = yield* ids.schedule
      return yield* store.write((state, now) =>
        Either.gen(function* () {
          const blank = {
            status: "active",
            reason: null,
            nextDueAt: null,
            nextFireAt: null,
            runs: 0,
            revision: 0
          } as const
          const seq = state.lastSchedule + 1
          const made = {
            id,
            seq,
            name,
            ...summaryOf(work),
            ...rules,
            ...blank,
            createdAt: now,
            updatedAt: now,
            createdBy
          }
          yield* check(state, made)
          const schedule = yield* scheduled(made, now, firstAfter)
          return [
            schedule,
            { ...state, schedules: put(state.schedules, id, { schedule, work }), lastSchedule: seq }
          ] as const
        })
      )
    }),

    get: (id) => Effect.flatten(store.read((state) => Either.map(find(state, id), ({ schedule }) => schedule))),

    work: (id) => Effect.flatten(store.read((state) => Either.map(find(state, id), ({ work }) => work))),

    resolve: Effect.fn("Schedules.resolve")(function* (reference) {
      const all = yield* store.read(newest)
      const named = all.filter(({ name }) => name === reference)
      const known = reference === "@last" ? all[0] : (named.find(({ status }) => isLive(status)) ?? named[0])
      if (known !== undefined) return known.id
      const fits = all
        .flatMap(({ id }) => (reference !== "" && id.startsWith(reference) ? [id] : []))
        .sort()
        .slice(0, 10)
      const [first, second] = fits
      if (first !== undefined && second === undefined) return first
      return yield* new ScheduleNotFound({ reference, candidates: fits })
    }),

    list: ({ before, limit, status }) =>
      store.read((state) =>
        newest(state)
          .filter(
            (one) => (before === null || one.seq < before) && (status.length === 0 || status.includes(one.status))
          )
          .slice(0, limit)
      ),

    history: (id, { before, limit }) =>
      store.read((state) =>
        executionsOf(settled(state), id)
          .filter(({ dueAt }) => before === null || dueAt < before)
          .toReversed()
          .slice(0, limit)
      ),

    open: (id) =>
      store.read((state) =>
        executionsOf(settled(state), id)
          .filter(({ status }) => status === "running")
          .toReversed()
      ),

    nextFire: store.read((state) => {
      const times = newest(state).flatMap(({ nextFireAt }) => nextFireAt ?? [])
      return times.length === 0 ? Option.none() : Option.some(Math.min(...times))
    }),

    due: (now, limit) =>
      store.read((state) =>
        Array.from(state.schedules.values())
          .filter(({ schedule }) => schedule.nextFireAt !== null && schedule.nextFireAt <= now)
          .sort((left, right) => (left.schedule.nextFireAt ?? 0) - (right.schedule.nextFireAt ?? 0))
          .slice(0, limit)
      ),

    fire: (all) => Effect.forEach(all, fireOne),

    runNow: Effect.fn("Schedules.runNow")(function* (id) {
      const { work } = yield* Effect.flatten(store.read((state) => find(state, id)))
      const ready = yield* prepareWork(ids, work)
      return yield* store.write((state, now) =>
        Either.gen(function* () {
          const { schedule } = yield* find(state, id)
          if (schedule.status === "cancelled") {
            return yield* Either.left(new ScheduleStateConflict({ id, step: "be run", actual: schedule.status }))
          }
          const dueAt = freeMoment(state, schedule, now)
          return Either.getOrThrow(
            start(settled(state), { scheduleId: id, dueAt, origin: "manual", at: now }, ready, work, [])
          )
        })
      )
    }),

    pause: (id, { reason, revision }) => leave(id, "be paused", ["active"], { status: "paused", reason }, revision),

    resume: (id) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const stored = yield* find(state, id)
          const conflict = new ScheduleStateConflict({ id, step: "be resumed", actual: stored.schedule.status })
          if (stored.schedule.status !== "paused") return yield* Either.left(conflict)
          const { revision } = stored.schedule
          const active = {
            ...stored.schedule,
            status: "active",
            reason: null,
            updatedAt: now,
            revision: revision + 1
          } as const
          const schedule = yield* scheduled(active, now)
          return [schedule, withSchedule(state, stored, schedule)] as const
        })
      ),

    cancel: (id) =>
      leave(
        id,
        "be cancelled",
        ["active", "paused", "completed", "expired"],
        { status: "cancelled", reason: null },
        null
      ),

    edit: (id, { work, ...change }, revision) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const stored = yield* find(state, id)
          const before = stored.schedule
          if (before.status === "cancelled" || before.revision !== revision) {
            return yield* Either.left(new ScheduleStateConflict({ id, step: "be edited", actual: before.status }))
          }
          const face = work === undefined ? {} : summaryOf(work)
          const changed: Schedule = { ...before, ...change, ...face, updatedAt: now, revision: revision + 1 }
          yield* check(state, changed)
          const retimed = before.status !== "active" || retiming.some((field) => change[field] !== undefined)
          const timed = retimed ? yield* scheduled({ ...changed, status: "active" }, now) : changed
          const schedule: Schedule =
            before.status === "paused" && timed.status === "active"
              ? { ...timed, status: "paused", nextDueAt: null, nextFireAt: null }
              : { ...timed, reason: null }
          return [schedule, withSchedule(state, { ...stored, work: work ?? stored.work }, schedule)] as const
        })
      ),

    putRight: store.write((state, now) => Either.right(allPutRight(settled(state), now))),

    prune: ({ dryRun, endedBefore, limit }) =>
      store.write((before) => {
        const state = settled(before)
        const old = forgettable(state, endedBefore, limit)
        return Either.right([old, dryRun ? state : old.reduce(forgotten, state)] as const)
      })
  })
})

export const layer = Layer.effect(Schedules, make)
