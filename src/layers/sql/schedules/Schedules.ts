/** Schedules on SQLite: each method one transaction, each time fired once over all processes. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fingerprint } from "../../../domain/pipeline/Pipeline.ts"
import {
  Execution,
  type Schedule,
  type ScheduleStatus,
  type Timing,
  tasksOf,
  type Work
} from "../../../domain/schedule/Schedule.ts"
import { ScheduleNotFound, ScheduleStateConflict } from "../../../domain/schedule/ScheduleErrors.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { withFreshSession } from "../../../domain/task/NewTask.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { type Due, type FireAnswer, Schedules } from "../../../services/Schedules.ts"
import { makeAccess, withImmediate } from "../database/Immediate.ts"
import { makeOtherKind } from "../database/otherKind.ts"
import * as Statement from "../database/Statement.ts"
import { canonical } from "../queue/enqueue.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { makeFire } from "./fire.ts"
import { executionColumns, orNoSchedule, ScheduleIdRow, scheduleById, workById } from "./ScheduleRows.ts"
import { makeSchedulePage } from "./schedulePage.ts"
import { makeScheduleScans } from "./scheduleScans.ts"
import { makeStoreSchedule } from "./storeSchedule.ts"

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

/** At most this many executions that have not ended are read. */
const openBound = 1000

/** Schedules that one transaction looks at to put them right. */
const together = 100

const unreadable = "what is stored of it cannot be read: cancel it and create it again"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const { read, write, writeWork } = makeAccess(sql, database)
  const otherKind = makeOtherKind(sql)
  const byId = scheduleById(sql)
  const workOf = workById(sql)
  const store = makeStoreSchedule(sql)
  const findPage = makeSchedulePage(sql)
  const { findOpen, fire, pause, putOffFor, putRight, runNow } = makeFire(sql, ids)
  const savepoint = withImmediate(sql)
  const lost: FireAnswer = { _tag: "Lost" }
  const cannotStart = (id: ScheduleId, reason: string) => Effect.as(pause(id, reason), lost)

  /** Outside of the transaction, which must not wait for anything. */
  const captured = (work: Work) =>
    Effect.map(
      Effect.forEach(tasksOf(work), (task) =>
        Effect.all({ task: Effect.succeed(task), environmentId: ids.digest(canonical(task.environment)) })
      ),
      (tasks) => ({ work, tasks })
    )

  const prepared = (work: Work) =>
    Effect.gen(function* () {
      const arrivals = yield* Effect.forEach(tasksOf(work), (task) =>
        Effect.all({
          id: ids.task,
          environmentId: ids.digest(canonical(task.environment)),
          task: Effect.map(ids.uuid, (session) => withFreshSession(task, session))
        })
      )
      if (work.kind === "task") return { arrivals, pipeline: null }
      const { pipeline } = work
      return {
        arrivals,
        pipeline: {
          id: yield* ids.pipeline,
          pipeline,
          contestIds: [],
          digest: yield* ids.digest(fingerprint(pipeline))
        }
      }
    })

  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: ScheduleIdRow,
    execute: ({ from, to }) =>
      sql`SELECT id FROM schedules WHERE id >= ${from} AND id < ${to} ORDER BY id LIMIT ${candidates}`
  }))

  const findByName = Statement.findOne(() => ({
    Request: Schema.String,
    Result: ScheduleIdRow,
    execute: (name) => sql`
      SELECT id FROM schedules WHERE name = ${name}
      ORDER BY status IN ('active', 'paused') DESC, seq DESC LIMIT 1
    `
  }))

  const findNewest = Statement.findOne(() => ({
    Request: Schema.Void,
    Result: ScheduleIdRow,
    execute: () => sql`SELECT id FROM schedules WHERE seq = (SELECT max(seq) FROM schedules)`
  }))

  const findHistory = Statement.findAll(() => ({
    Request: Schema.Struct({ id: ScheduleId, before: Schema.Number, limit: Schema.Number }),
    Result: Execution,
    execute: ({ before, id, limit }) => sql`
      SELECT ${sql.literal(executionColumns)} FROM schedule_executions
      WHERE schedule_id = ${id} AND due_at < ${before} ORDER BY due_at DESC LIMIT ${limit}
    `
  }))

  const { findDue, findExpired, findNext, findOver, findWaiting } = makeScheduleScans(sql)

  /** A step that takes the schedule off the clock. */
  const leave = (
    id: ScheduleId,
    step: string,
    from: ReadonlyArray<ScheduleStatus>,
    to: Pick<Schedule, "status" | "reason">,
    revision: number | null
  ) =>
    Effect.gen(function* () {
      const { seq: _seq, ...before } = yield* byId(id).pipe(orNoSchedule(id))
      const allowed = from.includes(before.status)
      if (!allowed || (revision !== null && revision !== before.revision)) {
        return yield* new ScheduleStateConflict({ id, step, actual: allowed ? null : before.status })
      }
      const now = yield* Clock.currentTimeMillis
      const row = { ...before, ...to, nextDueAt: null, nextFireAt: null, updatedAt: now, revision: before.revision + 1 }
      return yield* store.update(row).pipe(orDieWhenMissing)
    })

  const cancelled = (id: ScheduleId, reason: string | null) =>
    leave(id, "be cancelled", ["active", "paused", "completed", "expired"], { status: "cancelled", reason }, null)

  /** One that has left the clock needs its times no more: now stands for times that cannot be read. */
  const forgetTimes = (id: ScheduleId) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const timing = JSON.stringify({ kind: "at", at, timezone: "UTC" } satisfies Timing)
      return sql`UPDATE schedules SET timing = ${timing} WHERE id = ${id}`
    })

  return Schedules.of({
    create: Effect.fn("Schedules.create")(function* (schedule) {
      const id = yield* ids.schedule
      const ready = yield* captured(schedule.work)
      return yield* store.create(id, schedule, ready).pipe(writeWork("createSchedule"))
    }),

    get: Effect.fn("Schedules.get")((id) => byId(id).pipe(orNoSchedule(id), read("getSchedule"))),

    work: Effect.fn("Schedules.work")((id) => workOf(id).pipe(orNoSchedule(id), read("scheduleWork"))),

    resolve: Effect.fn("Schedules.resolve")(function* (reference) {
      if (reference === "@last") {
        return (yield* findNewest().pipe(orNoSchedule(reference), read("resolveSchedule"))).id
      }
      const named = yield* findByName(reference).pipe(read("resolveSchedule"))
      if (Option.isSome(named)) return named.value.id
      const found =
        reference === ""
          ? []
          : yield* findByPrefix({ from: reference, to: `${reference}~` }).pipe(read("resolveSchedule"))
      const [first, second] = found
      if (first !== undefined && second === undefined) return first.id
      const elsewhere = first === undefined ? yield* otherKind(reference).pipe(read("resolveSchedule")) : {}
      return yield* new ScheduleNotFound({ reference, candidates: found.map(({ id }) => id), ...elsewhere })
    }),

    list: Effect.fn("Schedules.list")(({ before, limit, status }) => {
      const request = { status, limit, before: before ?? Number.MAX_SAFE_INTEGER }
      return findPage(request).pipe(read("listSchedules"))
    }),

    history: Effect.fn("Schedules.history")((id, { before, limit }) =>
      findHistory({ id, limit, before: before ?? Number.MAX_SAFE_INTEGER }).pipe(read("scheduleHistory"))
    ),

    open: Effect.fn("Schedules.open")((id) =>
      findOpen(id).pipe(
        Effect.map((all) => all.slice(0, openBound)),
        read("openExecutions")
      )
    ),

    nextFire: findNext().pipe(
      Effect.map(Option.map(({ nextFireAt }) => nextFireAt)),
      read("nextFire"),
      Effect.withSpan("Schedules.nextFire")
    ),

    due: Effect.fn("Schedules.due")(function* (now, limit) {
      const due = yield* findDue({ now, limit }).pipe(read("dueSchedules"))
      const found = yield* Effect.forEach(due, ({ id }) =>
        Effect.all({ schedule: byId(id), work: workOf(id) }).pipe(
          Effect.map(({ schedule, work }) => ({ id, due: Option.all({ schedule, work }) })),
          Effect.catchTag("ParseError", () => Effect.succeed({ id, due: Option.none<Due>() }))
        )
      ).pipe(read("dueSchedules"))
      // One that is broken must not keep all others, and every task, from being started.
      for (const { due, id } of found) {
        if (Option.isNone(due)) yield* pause(id, unreadable).pipe(write("pauseSchedule"))
      }
      return found.flatMap(({ due }) => Option.toArray(due))
    }),

    fire: Effect.fn("Schedules.fire")(function* (due) {
      const ready = yield* Effect.forEach(due, ({ schedule, work }) =>
        Effect.map(prepared(work), (stored) => ({ schedule, stored }))
      )
      // One commit for all: at every full minute there may be many, and each commit waits for the disk.
      return yield* Effect.forEach(ready, ({ schedule, stored }) =>
        savepoint(fire(schedule, stored)).pipe(
          Effect.catchTag("ParseError", () => cannotStart(schedule.id, unreadable)),
          Effect.catchAllDefect((defect) =>
            Effect.logError(`schedule ${schedule.id} could not be started`, defect).pipe(
              Effect.zipRight(putOffFor(schedule.id, `it could not be started and is tried again: ${String(defect)}`)),
              Effect.as(lost)
            )
          )
        )
      ).pipe(write("fireSchedule"))
    }),

    putRight: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const moved: Array<ScheduleId> = []
      const expired = (after: number) => findExpired({ now, after, limit: together })
      const waiting = (after: number) => findWaiting({ after, limit: together })
      // What cannot be read is dealt with when it is due.
      const right = (id: ScheduleId) => Effect.catchTag(putRight(id), "ParseError", () => Effect.succeed(false))
      for (const find of [expired, waiting]) {
        let after = 0
        while (true) {
          const some = yield* find(after).pipe(read("strayedSchedules"))
          const last = some.at(-1)
          if (last === undefined) break
          after = last.seq
          const found = yield* Effect.filter(some, ({ id }) => right(id)).pipe(write("putSchedulesRight"))
          moved.push(...found.map(({ id }) => id))
        }
      }
      return moved
    }).pipe(Effect.withSpan("Schedules.putRight")),

    runNow: Effect.fn("Schedules.runNow")(function* (id) {
      const work = yield* workOf(id).pipe(orNoSchedule(id), read("runSchedule"))
      const ready = yield* prepared(work)
      return yield* runNow(id, ready).pipe(writeWork("runSchedule"))
    }),

    pause: Effect.fn("Schedules.pause")((id, { reason, revision }) =>
      leave(id, "be paused", ["active"], { status: "paused", reason }, revision).pipe(write("pauseSchedule"))
    ),

    resume: Effect.fn("Schedules.resume")((id) => store.resume(id).pipe(writeWork("resumeSchedule"))),

    cancel: Effect.fn("Schedules.cancel")((id) =>
      cancelled(id, null).pipe(
        Effect.catchTag("ParseError", () =>
          Effect.zipRight(forgetTimes(id), cancelled(id, "its times could not be read"))
        ),
        write("cancelSchedule")
      )
    ),

    edit: Effect.fn("Schedules.edit")(function* (id, change, revision) {
      const ready = change.work === undefined ? null : yield* captured(change.work)
      return yield* store.edit(id, change, ready, revision).pipe(writeWork("editSchedule"))
    }),

    prune: Effect.fn("Schedules.prune")(({ dryRun, endedBefore, limit }) =>
      Effect.gen(function* () {
        const old = (yield* findOver({ endedBefore, limit })).map(({ id }) => id)
        if (!dryRun) yield* Effect.forEach(old, store.forget, { discard: true })
        return old
      }).pipe(write("pruneSchedules"))
    )
  })
})

export const layer = Layer.effect(Schedules, make)
