/** Making and changing schedules: checks and rows in one transaction. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { firstAfter, upcomingAfter } from "../../../domain/schedule/Firing.ts"
import {
  type NewSchedule,
  type Schedule,
  ScheduleStatus,
  summaryOf,
  type Work
} from "../../../domain/schedule/Schedule.ts"
import { ScheduleStateConflict } from "../../../domain/schedule/ScheduleErrors.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import type { ScheduleEdit } from "../../../services/Schedules.ts"
import * as Statement from "../database/Statement.ts"
import { makeForgetEnvironment } from "../queue/forgetEnvironment.ts"
import { makeInsertEnvironment } from "../tasks/insertEnvironment.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import {
  orNoSchedule,
  ScheduleIdRow,
  ScheduleRow,
  ScheduleWrite,
  StoredStep,
  StoredTask,
  scheduleById,
  scheduleColumns
} from "./ScheduleRows.ts"

/** Schedules in a row that follow one another. */
const longestRow = 100

/** A change of one of these gives other times. */
const retiming = ["timing", "jitterMs", "maxRuns", "expiresAt"] as const

/** What a run starts, with the names of its environments made ready outside of the transaction. */
interface Captured {
  readonly work: Work
  readonly tasks: ReadonlyArray<{ readonly task: NewTask; readonly environmentId: string }>
}

export const makeStoreSchedule = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(scheduleColumns)
  const byId = scheduleById(sql)
  const forgetEnvironment = makeForgetEnvironment(sql)

  const insert = Statement.single(() => ({
    Request: ScheduleWrite,
    Result: ScheduleRow,
    execute: (row) => sql`INSERT INTO schedules ${sql.insert(row)} RETURNING ${columns}`
  }))

  const update = Statement.single(() => ({
    Request: ScheduleWrite,
    Result: ScheduleRow,
    execute: (row) => sql`
      UPDATE schedules SET ${sql.update(row, ["id"])} WHERE id = ${row.id} RETURNING ${columns}
    `
  }))

  const insertEnvironment = makeInsertEnvironment(sql)

  const insertTask = Statement.run(() => ({
    Request: Schema.Struct({
      scheduleId: ScheduleId,
      position: Schema.Int,
      environmentId: Schema.String,
      step: StoredStep,
      task: StoredTask
    }),
    execute: (row) => sql`INSERT INTO schedule_tasks ${sql.insert(row)}`
  }))

  const findNamesake = Statement.findAll(() => ({
    Request: Schema.Struct({ id: ScheduleId, name: Schema.String }),
    Result: ScheduleIdRow,
    execute: ({ id, name }) => sql`
      SELECT id FROM schedules WHERE name = ${name} AND status IN ('active', 'paused') AND id <> ${id}
    `
  }))

  const findAbove = Statement.findAll(() => ({
    Request: ScheduleId,
    Result: Schema.Struct({ id: ScheduleId, status: ScheduleStatus }),
    execute: (id) => sql`
      WITH RECURSIVE above (id, level) AS (
        VALUES (${id}, 0)
        UNION ALL
        SELECT schedules.follows, above.level + 1 FROM above JOIN schedules ON schedules.id = above.id
        WHERE schedules.follows IS NOT NULL AND above.level <= ${longestRow}
      )
      SELECT schedules.id, schedules.status FROM above JOIN schedules ON schedules.id = above.id ORDER BY above.level
    `
  }))

  const check = (id: ScheduleId, { follows, name }: Pick<Schedule, "follows" | "name">) =>
    Effect.gen(function* () {
      if (name !== null) {
        const [namesake] = yield* findNamesake({ id, name })
        if (namesake !== undefined) {
          return yield* new InvalidInput({
            field: "name",
            problem: `schedule ${namesake.id} is already named '${name}'`,
            example: null
          })
        }
      }
      if (follows === null) return
      const above = yield* findAbove(follows)
      const wrong = (problem: string) => new InvalidInput({ field: "after", problem, example: null })
      if (above[0] === undefined) return yield* wrong(`there is no schedule ${follows}`)
      if (above[0].status === "cancelled") return yield* wrong(`schedule ${follows} is cancelled`)
      if (above.some((schedule) => schedule.id === id))
        return yield* wrong("the schedules would follow each other in a circle")
      if (above.length > longestRow) return yield* wrong(`more than ${longestRow} schedules would follow one another`)
    })

  const stepsOf = (work: Work) =>
    work.kind === "task" ? [] : work.pipeline.steps.map(({ contest: _contest, work: _task, ...step }) => step)

  const writeWork = (id: ScheduleId, { tasks, work }: Captured) =>
    Effect.gen(function* () {
      yield* sql`DELETE FROM schedule_tasks WHERE schedule_id = ${id}`
      for (const [position, { environmentId, task }] of tasks.entries()) {
        const { environment, ...captured } = task
        yield* insertEnvironment({ id: environmentId, variables: environment })
        const step = stepsOf(work)[position] ?? null
        yield* insertTask({ scheduleId: id, position, environmentId, step, task: captured })
      }
    })

  const findEnvironments = Statement.findAll(() => ({
    Request: ScheduleId,
    Result: Schema.Struct({ environmentId: Schema.String }),
    execute: (id) => sql`SELECT DISTINCT environment_id FROM schedule_tasks WHERE schedule_id = ${id}`
  }))

  const environmentsOf = (id: ScheduleId) =>
    Effect.map(findEnvironments(id), (rows) => rows.map(({ environmentId }) => environmentId))

  /** The next time by its rules. Rules that cannot be read fail as an invalid input. */
  const scheduled = (
    schedule: Omit<Schedule, "seq">,
    now: number,
    next = upcomingAfter
  ): Effect.Effect<Omit<Schedule, "seq">, InvalidInput> =>
    Effect.mapBoth(next(schedule, now), {
      onFailure: (problem) => new InvalidInput({ field: "schedule", problem, example: null }),
      onSuccess: (upcoming) => ({ ...schedule, ...upcoming })
    })

  return {
    update,

    /** Deletes it with its history and what it starts. It must run inside a transaction. */
    forget: (id: ScheduleId) =>
      Effect.gen(function* () {
        const environments = yield* environmentsOf(id)
        yield* sql`DELETE FROM schedules WHERE id = ${id}`
        yield* Effect.forEach(environments, forgetEnvironment, { discard: true })
      }),

    /** It must run inside a transaction. */
    create: (id: ScheduleId, { createdBy, name, work: _work, ...rules }: NewSchedule, captured: Captured) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* check(id, { name, follows: rules.follows })
        const row = yield* scheduled(
          {
            id,
            name,
            ...summaryOf(captured.work),
            ...rules,
            status: "active",
            reason: null,
            nextDueAt: null,
            nextFireAt: null,
            runs: 0,
            createdAt: now,
            updatedAt: now,
            createdBy,
            revision: 0
          },
          now,
          firstAfter
        )
        const stored = yield* insert(row).pipe(orDieWhenMissing)
        yield* writeWork(id, captured)
        return stored
      }),

    /** It must run inside a transaction. */
    edit: (id: ScheduleId, { work: _work, ...change }: ScheduleEdit, captured: Captured | null, revision: number) =>
      Effect.gen(function* () {
        const { seq: _seq, ...before } = yield* byId(id).pipe(orNoSchedule(id))
        const over = before.status === "cancelled"
        if (over || before.revision !== revision) {
          return yield* new ScheduleStateConflict({ id, step: "be edited", actual: over ? before.status : null })
        }
        const now = yield* Clock.currentTimeMillis
        const changed = {
          ...before,
          ...change,
          ...(captured === null ? {} : summaryOf(captured.work)),
          updatedAt: now,
          revision: revision + 1
        }
        yield* check(id, changed)
        // A time that has already come is not skipped when another field changes.
        const retimed = before.status !== "active" || retiming.some((field) => change[field] !== undefined)
        const find = change.timing === undefined ? upcomingAfter : firstAfter
        const next = retimed ? yield* scheduled({ ...changed, status: "active" }, now, find) : changed
        const paused = before.status === "paused" && next.status === "active"
        const row = paused
          ? { ...next, status: "paused" as const, nextDueAt: null, nextFireAt: null }
          : { ...next, reason: null }
        if (captured !== null) {
          const environments = yield* environmentsOf(id)
          yield* writeWork(id, captured)
          yield* Effect.forEach(environments, forgetEnvironment, { discard: true })
        }
        return yield* update(row).pipe(orDieWhenMissing)
      }),

    /** The schedule once it is active again. It must run inside a transaction. */
    resume: (id: ScheduleId) =>
      Effect.gen(function* () {
        const { seq: _seq, ...before } = yield* byId(id).pipe(orNoSchedule(id))
        if (before.status !== "paused") {
          return yield* new ScheduleStateConflict({ id, step: "be resumed", actual: before.status })
        }
        const now = yield* Clock.currentTimeMillis
        const row = yield* scheduled(
          { ...before, status: "active", reason: null, updatedAt: now, revision: before.revision + 1 },
          now
        )
        return yield* update(row).pipe(orDieWhenMissing)
      })
  }
}
