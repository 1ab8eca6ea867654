/** Reading tasks by id: the statements that several ports share. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskNotFound } from "../../../domain/Errors.ts"
import { decoderOf } from "../../../domain/SchemaCodecs.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { traceparentWithin } from "../../../domain/traces/TraceContext.ts"
import { type Claim, ClaimId } from "../../../domain/worker/Claim.ts"
import type { ClaimedTask, Held } from "../../../services/Queue.ts"
import * as Statement from "../database/Statement.ts"
import { ClaimedRow, ClaimRow, SummaryRow, summaryColumns, TaskRow, taskColumns } from "./Rows.ts"

/** The value, or the task is not there. */
export const orNotFound =
  (reference: string) =>
  <A, E, R>(found: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<A, E | TaskNotFound, R> =>
    Effect.flatMap(
      found,
      Option.match({ onNone: () => Effect.fail(new TaskNotFound({ reference })), onSome: Effect.succeed })
    )

export const summaryById = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(summaryColumns)
  return Statement.findOne(() => ({
    Request: TaskId,
    Result: SummaryRow,
    execute: (id) => sql`SELECT ${columns} FROM tasks WHERE tasks.id = ${id}`
  }))
}

export const taskById = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(taskColumns)
  return Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskRow,
    execute: (id) => sql`
      SELECT ${columns} FROM tasks JOIN task_inputs ON task_inputs.task_id = tasks.id WHERE tasks.id = ${id}
    `
  }))
}

/** For statements that always give a row. */
export const orDieWhenMissing = <A, E, R>(
  row: Effect.Effect<A, E | Cause.NoSuchElementException, R>
): Effect.Effect<A, E, R> => Effect.catchIf(row, Cause.isNoSuchElementException, Effect.die)

/** The row of a task with all that its start needs. */
export const startOf = (sql: SqlClient.SqlClient, id: TaskId) => sql`
  SELECT ${sql.literal(taskColumns)}, task_inputs.launch, environments.variables, tasks.resume_session, tasks.traceparent
  FROM tasks
  JOIN task_inputs ON task_inputs.task_id = tasks.id
  JOIN environments ON environments.id = task_inputs.environment_id
  WHERE tasks.id = ${id}
`

/** Reads such a row. */
export const readStart = decoderOf(ClaimedRow)

export const claimedFrom =
  (claim: Claim) =>
  ({ launch, resumeSession, traceparent, variables, ...task }: typeof ClaimedRow.Type): ClaimedTask => ({
    task,
    claim,
    launch,
    environment: variables,
    resumeSession,
    traceparent: traceparentWithin({ ...task, traceparent })
  })

/** The task of a claim row, without what its start needs. */
export const claimById = (sql: SqlClient.SqlClient) => {
  const findTask = taskById(sql)
  const findClaim = Statement.findOne(() => ({
    Request: ClaimId,
    Result: ClaimRow,
    execute: (claimId) => sql`SELECT * FROM claims WHERE claim_id = ${claimId}`
  }))
  return (claimId: ClaimId) =>
    Effect.gen(function* () {
      const claim = yield* findClaim(claimId)
      if (Option.isNone(claim)) return Option.none<Held>()
      return Option.map(yield* findTask(claim.value.taskId), (task): Held => ({ task, claim: claim.value }))
    })
}

/** The task a claim was made for, and its status; none for a claim that never was. */
export const taskOfClaim = (sql: SqlClient.SqlClient) =>
  Statement.findOne(() => ({
    Request: ClaimId,
    Result: SummaryRow.pick("id", "status"),
    execute: (claimId) => sql`
      SELECT tasks.id, tasks.status FROM claim_history JOIN tasks ON tasks.id = claim_history.task_id
      WHERE claim_history.claim_id = ${claimId}
    `
  }))

export const IdRow = Schema.Struct({ id: TaskId })
