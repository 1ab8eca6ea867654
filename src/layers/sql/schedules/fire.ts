/** The firing of a schedule: one transaction that decides, records, stores what starts and sets the next time. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  clockSetBack,
  decide,
  fireTime,
  isTimeOf,
  rowTooLong,
  strayed,
  unexpired,
  upcomingAfter
} from "../../../domain/schedule/Firing.ts"
import { Execution, keptExecutions, type Schedule } from "../../../domain/schedule/Schedule.ts"
import { ScheduleStateConflict } from "../../../domain/schedule/ScheduleErrors.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { NewDependency } from "../../../domain/task/NewTask.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import type { FireAnswer } from "../../../services/Schedules.ts"
import { direct } from "../database/direct.ts"
import { withImmediate } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeCreatePipeline, type PipelineArrival } from "../pipelines/createPipeline.ts"
import { type Arrival, makeEnqueue } from "../queue/enqueue.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { makeRunEdges } from "./RunEdges.ts"
import { executionColumns, orNoSchedule, scheduleById } from "./ScheduleRows.ts"

/** What a run stores, made ready outside of the transaction. */
interface Prepared {
  readonly arrivals: ReadonlyArray<Arrival>
  readonly pipeline: Omit<PipelineArrival, "arrivals"> | null
}

/** The delay before a schedule that could not be started for an unknown reason is tried again, in milliseconds. */
const againMs = 60_000

/** Deeper than any limit: the depth was checked when the schedule was made. */
const anyDepth = Number.MAX_SAFE_INTEGER

export const makeFire = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const enqueue = makeEnqueue(sql)
  const createPipeline = makeCreatePipeline(sql)
  const { leading, overlapping, together } = makeRunEdges(sql, ids)
  const savepoint = withImmediate(sql)
  const columns = sql.literal(executionColumns)
  const byId = scheduleById(sql)

  const findOpen = Statement.findAll(() => ({
    Request: ScheduleId,
    Result: Execution,
    execute: (id) => sql`
      SELECT ${columns} FROM schedule_executions INDEXED BY schedule_executions_open
      WHERE schedule_id = ${id} AND status = 'running' ORDER BY due_at DESC
    `
  }))

  const findAt = Statement.findOne(() => ({
    Request: Schema.Struct({ id: ScheduleId, dueAt: Timestamp }),
    Result: Schema.Struct({ dueAt: Timestamp }),
    execute: ({ dueAt, id }) => sql`
      SELECT due_at FROM schedule_executions WHERE schedule_id = ${id} AND due_at = ${dueAt}
    `
  }))

  const isNew = (id: ScheduleId, dueAt: number) => Effect.map(findAt({ id, dueAt }), Option.isNone)

  const insertExecution = Statement.single(() => ({
    Request: Execution,
    Result: Execution,
    execute: (row) => sql`INSERT INTO schedule_executions ${sql.insert(row)} RETURNING ${columns}`
  }))

  const blank = { reason: null, taskId: null, pipelineId: null, endedAt: null, untilAt: null, count: 1 }

  type Run = Pick<Execution, "scheduleId" | "dueAt" | "origin" | "at">

  /** What nothing else waits for starts behind `edges`; the rest starts behind it. */
  const behind = (arrivals: ReadonlyArray<Arrival>, edges: ReadonlyArray<NewDependency>) =>
    arrivals.map((arrival) =>
      arrival.task.dependsOn.length > 0 || arrival.task.continueFrom !== null
        ? arrival
        : { ...arrival, task: { ...arrival.task, dependsOn: edges } }
    )

  /** Keeps the newest executions, and the newest up to now that started something: a schedule that follows asks for it. */
  const trim = (id: ScheduleId, now: number) => sql`
    DELETE FROM schedule_executions
    WHERE schedule_id = ${id} AND status <> 'running' AND due_at < (
      SELECT due_at FROM schedule_executions WHERE schedule_id = ${id}
      ORDER BY due_at DESC LIMIT 1 OFFSET ${keptExecutions - 1}
    ) AND due_at <> coalesce((
      SELECT due_at FROM schedule_executions
      WHERE schedule_id = ${id} AND status NOT IN ('skipped', 'missed') AND due_at <= ${now}
      ORDER BY due_at DESC LIMIT 1
    ), -1)
  `

  /** Stores what a run starts. The execution comes first: its tasks may be over as soon as they are stored. */
  const start = (run: Run, { arrivals, pipeline }: Prepared, edges: ReadonlyArray<NewDependency>) =>
    Effect.gen(function* () {
      const taskId = pipeline === null ? (arrivals[0]?.id ?? null) : null
      const stored = yield* insertExecution({
        ...blank,
        ...run,
        status: "running",
        taskId,
        pipelineId: pipeline?.id ?? null
      }).pipe(orDieWhenMissing)
      const ready = behind(arrivals, edges)
      const storing =
        pipeline === null
          ? Effect.asVoid(enqueue(ready, anyDepth))
          : Effect.asVoid(
              Effect.catchTags(createPipeline({ ...pipeline, arrivals: ready }, anyDepth), {
                PipelineKeyConflict: Effect.die,
                PipelineRetryConflict: Effect.die
              })
            )
      yield* Effect.catchTags(storing, {
        // What was captured has no key and retries nothing, and what it waits for was read in this transaction.
        DepthExceeded: Effect.die,
        GoalLimitReached: Effect.die,
        IdempotencyConflict: Effect.die,
        TaskNotFound: Effect.die
      })
      return stored
    })

  /** Puts the time off until the schedule that has to fire first does. */
  const putOff = (id: ScheduleId, until: number) =>
    sql`UPDATE schedules SET next_fire_at = ${until} WHERE id = ${id} AND status = 'active'`

  /** A moment that is not a time of the schedule and has no execution: one of its times would count as already fired. */
  const freeMoment = ({ id, timing }: Pick<Schedule, "id" | "timing">, now: number) =>
    Effect.gen(function* () {
      let at = now
      while (isTimeOf(timing, at) || !(yield* isNew(id, at))) at += 1
      return at
    })

  /** A rule that can no longer be read. */
  const pause = (id: ScheduleId, reason: string) => sql`
    UPDATE schedules SET status = 'paused', reason = ${reason}, next_due_at = NULL, next_fire_at = NULL,
      revision = revision + 1
    WHERE id = ${id} AND status = 'active'
  `

  /** Whether its name now belongs to another schedule: two that may fire cannot have the same. */
  const isNamesake = ({ name }: Schedule) =>
    Effect.map(
      direct(sql`SELECT 1 FROM schedules WHERE name = ${name} AND status IN ('active', 'paused') LIMIT 1`),
      ({ length }) => length > 0
    )

  return {
    findOpen,
    pause,

    /** It must run inside a transaction. */
    fire: (expected: Schedule, prepared: Prepared) =>
      Effect.gen(function* () {
        const lost: FireAnswer = { _tag: "Lost" }
        const { id } = expected
        const now = yield* Clock.currentTimeMillis
        const found = yield* byId(id)
        if (Option.isNone(found)) return lost
        const schedule = found.value
        const { nextDueAt: dueAt, nextFireAt: fireAt, status } = schedule
        if (status !== "active" || dueAt === null || fireAt === null || fireAt > now) return lost
        if (schedule.revision !== expected.revision || fireAt !== expected.nextFireAt) return lost

        const { edges, first, refused } = yield* leading(schedule, dueAt)
        if (first !== null) {
          const fires = first.nextFireAt ?? now
          if (fires <= now) return { _tag: "Behind", first: first.id } satisfies FireAnswer
          yield* putOff(id, fires)
          return lost
        }
        const open = yield* findOpen(id)
        const assign = (obstacle: string | null) =>
          Effect.gen(function* () {
            const decided = decide({ ...schedule, dueAt, fireAt }, { now, open: open.length, refused: obstacle })
            if (Either.isLeft(decided)) {
              yield* pause(id, decided.left)
              return lost
            }
            const { recorded, run } = decided.right
            // A clock that was set back, or a rule changed and changed again, leads to a time that was dealt with.
            const executions = yield* Effect.forEach(
              yield* Effect.filter(recorded, (one) => isNew(id, one.dueAt)),
              (one) =>
                insertExecution({ ...blank, ...one, scheduleId: id, origin: "time", at: now }).pipe(orDieWhenMissing)
            )
            const fired =
              run === null || !(yield* isNew(id, run))
                ? null
                : yield* start(
                    { scheduleId: id, dueAt: run, origin: "time", at: now },
                    prepared,
                    together(edges, yield* overlapping(schedule, open))
                  )
            yield* trim(id, now)
            // A time that was recorded before is not a run: it does not count towards the limit.
            const upcoming =
              run !== null && fired === null
                ? Either.getOrElse(upcomingAfter(schedule, run), () => decided.right.upcoming)
                : decided.right.upcoming
            yield* sql`
              UPDATE schedules SET status = ${upcoming.status}, reason = NULL, next_due_at = ${upcoming.nextDueAt},
                next_fire_at = ${upcoming.nextFireAt}, runs = runs + ${fired === null ? 0 : 1},
                updated_at = ${upcoming.status === "active" ? schedule.updatedAt : now}
              WHERE id = ${id} AND status = 'active' AND next_fire_at = ${fireAt}
            `
            return fired === null
              ? ({ _tag: "Recorded", executions } satisfies FireAnswer)
              : ({ _tag: "Fired", execution: fired } satisfies FireAnswer)
          })
        return yield* savepoint(assign(refused)).pipe(
          Effect.catchTag("DependencyInvalid", () => assign(rowTooLong)),
          Effect.catchTag("DependencyInvalid", Effect.die)
        )
      }),

    /** It must run inside a transaction. */
    runNow: (id: ScheduleId, prepared: Prepared) =>
      Effect.gen(function* () {
        const schedule = yield* byId(id).pipe(orNoSchedule(id))
        const { status } = schedule
        if (status === "cancelled") return yield* new ScheduleStateConflict({ id, step: "be run", actual: status })
        const at = yield* Clock.currentTimeMillis
        const dueAt = yield* freeMoment(schedule, at)
        const execution = yield* start({ scheduleId: id, dueAt, origin: "manual", at }, prepared, []).pipe(
          Effect.catchTag("DependencyInvalid", Effect.die)
        )
        yield* trim(id, at)
        return execution
      }),

    /**
     * Moves it back to where its rule has it, active where it has expired too early, and says so in its history. It must run inside a
     * transaction.
     */
    putRight: (id: ScheduleId) =>
      Effect.gen(function* () {
        const found = yield* byId(id)
        if (Option.isNone(found) || !["active", "expired"].includes(found.value.status)) return false
        const schedule = found.value
        const now = yield* Clock.currentTimeMillis
        if (schedule.status === "expired" && (yield* isNamesake(schedule))) return false
        const right = schedule.status === "expired" ? unexpired(schedule, now) : strayed(schedule, now)
        if (right === null) {
          // It was put off for a schedule that has been moved back since: it asks that one again when it fires.
          const fireAt = schedule.nextDueAt === null ? null : fireTime(schedule, schedule.nextDueAt)
          if (fireAt !== null && schedule.follows !== null && (schedule.nextFireAt ?? 0) > fireAt) {
            yield* sql`UPDATE schedules SET next_fire_at = ${fireAt} WHERE id = ${id}`
          }
          return false
        }
        const dueAt = yield* freeMoment(schedule, now)
        const row = { dueAt, status: "missed", reason: clockSetBack, scheduleId: id, origin: "time", at: now } as const
        yield* insertExecution({ ...blank, ...row }).pipe(orDieWhenMissing)
        yield* trim(id, now)
        yield* sql`
          UPDATE schedules SET status = 'active', next_due_at = ${right.nextDueAt}, next_fire_at = ${right.nextFireAt}
          WHERE id = ${id}
        `
        return true
      }),

    /** A start that failed may succeed later: the schedule is tried again, and its history says why it waits. */
    putOffFor: (id: ScheduleId, reason: string) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`
          UPDATE schedules SET next_fire_at = ${now + againMs}, reason = ${reason} WHERE id = ${id} AND status = 'active'
        `
      )
  }
}
