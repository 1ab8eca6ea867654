/** The end of a task: the one place that writes a terminal status. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { type Outcome, outcome } from "../../../domain/task/Outcome.ts"
import { TaskId, TaskStatus, TaskSummary } from "../../../domain/task/Task.ts"
import { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { endStep, transition } from "../../../domain/task/Transition.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { makePipelineEnds } from "../pipelines/pipelineEnds.ts"
import { EndRow } from "../tasks/Rows.ts"
import { orDieWhenMissing, orNotFound } from "../tasks/TaskRows.ts"
import { makeReleaseDependents } from "./releaseDependents.ts"

/** How a task ends that was cancelled before its agent started. */
export const cancelledUnstarted: Outcome = outcome({ status: "cancelled", cause: "cancelled" })

/**
 * The body of the transaction that ends a task, and all tasks that can no longer start because of it; it must run inside
 * one. Without a holder only a queued task ends. A cancel request does not change the outcome: if the agent exits before
 * the cancel reaches it, its own outcome counts.
 */
export const makeFinish = (sql: SqlClient.SqlClient) => {
  const { releaseDependents } = makeReleaseDependents(sql)
  const pipelines = makePipelineEnds(sql)

  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("status", "cancelRequestedAt"),
    execute: (id) => sql`SELECT status, cancel_requested_at FROM tasks WHERE id = ${id}`
  }))

  /** A cancel that came while it failed means the work, not this try of it. */
  const isWanted = (id: TaskId) =>
    Effect.map(findStanding(id).pipe(orNotFound(id)), ({ cancelRequestedAt }) => cancelRequestedAt === null)

  /** Returns from the same statement what else there is to do: mostly nothing. */
  const writeEnd = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, from: TaskStatus, end: EndRow }),
    Result: Schema.Struct({ awaited: Schema.Int, stepped: Schema.Int }),
    execute: ({ end, from, id }) => sql`
      UPDATE tasks SET ${sql.update(end, end.sessionId === null ? ["sessionId"] : [])}
      WHERE id = ${id} AND status = ${from}
      RETURNING
        EXISTS (SELECT 1 FROM task_dependencies WHERE upstream_id = ${id} AND state = 'pending') AS awaited,
        EXISTS (SELECT 1 FROM pipeline_steps WHERE task_id = ${id}) AS stepped
    `
  }))

  const writeEvent = Statement.single(() => ({
    Request: TaskEnded.omit("seq"),
    Result: TaskEnded,
    execute: (event) =>
      sql`INSERT INTO outbox ${sql.insert(event)} RETURNING seq, kind, id, status, cause, at, retried_by`
  }))

  /** Tasks that wait for this one wait for its retry from now on. */
  const handOver = (id: TaskId, retry: TaskId) =>
    sql`UPDATE task_dependencies SET upstream_id = ${retry} WHERE upstream_id = ${id} AND state = 'pending'`

  return <E = never, R = never>(
    id: TaskId,
    ending: Outcome,
    holder: Holder | null,
    /** Stores the automatic retry of a task that has failed. */
    storeRetry: Effect.Effect<TaskId, E, R> | null = null
  ) =>
    Effect.gen(function* () {
      const step = endStep[ending.status]
      const from = holder === null ? "queued" : "running"
      const conflict = (otherwise: string) =>
        Effect.flatMap(findStanding(id).pipe(orNotFound(id)), ({ status }) =>
          Effect.fail(
            new TaskStateConflict({ id, step: transition(status, step) === null ? step : otherwise, actual: status })
          )
        )
      if (transition(from, step) === null) return yield* conflict(step)
      if (holder !== null) {
        const removed = yield* direct(sql`
          DELETE FROM claims
          WHERE task_id = ${id} AND claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
          RETURNING task_id
        `)
        if (removed.length === 0) return yield* conflict("finish")
      }
      const at = yield* Clock.currentTimeMillis
      const retriedBy =
        ending.status === "failed" && storeRetry !== null && (yield* isWanted(id)) ? yield* storeRetry : null
      const end = { ...ending, endedAt: at, retriedBy, waitingOn: 0 }
      const ended = yield* writeEnd({ id, from, end })
      if (ended._tag === "None") return yield* conflict(step)
      const { awaited, stepped } = ended.value
      const event = { kind: "task", id, status: ending.status, cause: ending.cause, at, retriedBy } as const
      const written = yield* writeEvent(event).pipe(orDieWhenMissing)
      if (retriedBy === null) {
        const cancelled = awaited === 1 ? yield* releaseDependents(id) : []
        if (stepped === 1 || cancelled.length > 0) yield* pipelines.afterEnds([id, ...cancelled], at)
      } else {
        yield* handOver(id, retriedBy)
        yield* pipelines.replaceStep(id, retriedBy)
      }
      return written
    })
}
