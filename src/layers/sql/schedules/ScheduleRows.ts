/** The rows of schedules and their executions, and reading them by id. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { NewPipelineStep } from "../../../domain/pipeline/Pipeline.ts"
import { Execution, Schedule, Timing, type Work } from "../../../domain/schedule/Schedule.ts"
import { ScheduleNotFound } from "../../../domain/schedule/ScheduleErrors.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { NewTask } from "../../../domain/task/NewTask.ts"
import * as Statement from "../database/Statement.ts"
import { StoredEnvironment } from "../tasks/Rows.ts"

export const ScheduleRow = Schema.Struct({ ...Schedule.fields, timing: Schema.parseJson(Timing) })

const { seq: _seq, ...arriving } = ScheduleRow.fields

/** What is written of a schedule when it is made or changed. */
export const ScheduleWrite = Schema.Struct(arriving)

export const scheduleColumns = Object.keys(Schedule.fields).map(Str.camelToSnake).join(", ")
export const executionColumns = Object.keys(Execution.fields).map(Str.camelToSnake).join(", ")

/** A task as captured; its environment is stored separately and shared with other tasks. */
export const StoredTask = Schema.parseJson(NewTask.omit("environment"))

/** The place of a task in its pipeline. */
export const StoredStep = Schema.NullOr(Schema.parseJson(NewPipelineStep.omit("work", "contest")))

const WorkRow = Schema.Struct({
  title: Schema.String,
  step: StoredStep,
  task: StoredTask,
  variables: StoredEnvironment
})

export const ScheduleIdRow = Schema.Struct({ id: ScheduleId })

export const scheduleById = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(scheduleColumns)
  return Statement.findOne(() => ({
    Request: ScheduleId,
    Result: ScheduleRow,
    execute: (id) => sql`SELECT ${columns} FROM schedules WHERE id = ${id}`
  }))
}

/** The value, or the schedule is not there. */
export const orNoSchedule =
  (reference: string) =>
  <A, E, R>(found: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<A, E | ScheduleNotFound, R> =>
    Effect.flatMap(
      found,
      Option.match({
        onNone: () => Effect.fail(new ScheduleNotFound({ reference, candidates: [] })),
        onSome: Effect.succeed
      })
    )

export const workById = (sql: SqlClient.SqlClient) => {
  const find = Statement.findAll(() => ({
    Request: ScheduleId,
    Result: WorkRow,
    execute: (id) => sql`
      SELECT schedules.title, schedule_tasks.step, schedule_tasks.task, environments.variables
      FROM schedule_tasks
      JOIN schedules ON schedules.id = schedule_tasks.schedule_id
      JOIN environments ON environments.id = schedule_tasks.environment_id
      WHERE schedule_tasks.schedule_id = ${id} ORDER BY schedule_tasks.position
    `
  }))
  return (id: ScheduleId) =>
    Effect.map(find(id), (rows): Option.Option<Work> => {
      const [first] = rows
      if (first === undefined) return Option.none()
      if (first.step === null) {
        return Option.some({ kind: "task", task: { ...first.task, environment: first.variables } })
      }
      const steps = rows.flatMap(({ step, task, variables }) =>
        step === null ? [] : [{ ...step, work: { ...task, environment: variables } }]
      )
      return Option.some({
        kind: "pipeline",
        pipeline: { name: first.title, steps, retryOf: null, idempotencyKey: null }
      })
    })
}
