/** The end of a task: the one place that writes a terminal status. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { mutated } from "../../domain/Mutation.ts"
import { type Outcome, outcome } from "../../domain/Outcome.ts"
import { TaskId, TaskStatus, TaskSummary } from "../../domain/Task.ts"
import { TaskEnded } from "../../domain/TerminalEvent.ts"
import { endStep, transition } from "../../domain/Transition.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { makePipelineEnds } from "./pipelineEnds.ts"
import { EndRow } from "./rows.ts"
import { makeSettle } from "./settle.ts"
import * as Statement from "./statement.ts"
import { certain, orNotFound } from "./taskRows.ts"

/** How a task ends that was cancelled before its agent started. */
export const cancelledUnstarted: Outcome = outcome({ status: "cancelled", cause: "cancelled" })

/**
 * The body of the transaction that ends a task, and all that can no longer start because of it; it must run inside one.
 * Without a holder only a queued task ends. A cancel request does not change the outcome: who ends by himself first ends
 * as he did.
 */
export const makeFinish = (sql: SqlClient.SqlClient) => {
  const { settle } = makeSettle(sql)
  const pipelines = makePipelineEnds(sql)

  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("status", "sessionId", "cancelRequestedAt"),
    execute: (id) => sql`SELECT status, session_id, cancel_requested_at FROM tasks WHERE id = ${id}`
  }))

  const writeEnd = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, from: TaskStatus, end: EndRow }),
    Result: Schema.Struct({ id: TaskId }),
    execute: ({ end, from, id }) =>
      sql`UPDATE tasks SET ${sql.update(end)} WHERE id = ${id} AND status = ${from} RETURNING id`
  }))

  const writeEvent = Statement.single(() => ({
    Request: TaskEnded.omit("seq"),
    Result: TaskEnded,
    execute: (event) =>
      sql`INSERT INTO outbox ${sql.insert(event)} RETURNING seq, kind, id, status, cause, at, retried_by`
  }))

  /** Who waits for the task waits for its retry from now on. */
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
      const { cancelRequestedAt, sessionId, status } = yield* findStanding(id).pipe(orNotFound(id))
      const step = endStep[ending.status]
      const conflict = (step: string) => new TaskStateConflict({ id, step, actual: status })
      if (transition(status, step) === null || (holder === null && status !== "queued")) return yield* conflict(step)
      if (holder !== null && !mutated("keep-worker")) {
        const removed = yield* sql`
          DELETE FROM workers
          WHERE task_id = ${id} AND claim_id = ${holder.claimId} AND runtime_id = ${holder.runtimeId}
          RETURNING task_id
        `
        if (removed.length === 0) return yield* conflict("finish")
      }
      const at = yield* Clock.currentTimeMillis
      // A cancel that came while it failed means the work, not this try of it.
      const again = ending.status === "failed" && cancelRequestedAt === null && !mutated("no-retry") ? storeRetry : null
      const retriedBy = again === null ? null : yield* again
      const end = { ...ending, sessionId: ending.sessionId ?? sessionId, endedAt: at, retriedBy, waitingOn: 0 }
      const ended = yield* writeEnd({ id, from: status, end })
      if (ended._tag === "None") return yield* conflict(step)
      const event = { kind: "task", id, status: ending.status, cause: ending.cause, at, retriedBy } as const
      if (mutated("skip-outbox")) return { ...event, seq: 0 }
      if (mutated("change-after-end")) {
        yield* sql`DROP TRIGGER IF EXISTS tasks_terminal_is_final`
        yield* sql`UPDATE tasks SET error = 'changed' WHERE ended_at < ${at}`
      }
      const written = yield* writeEvent(event).pipe(certain)
      if (retriedBy === null) yield* pipelines.afterEnds([id, ...(yield* settle(id))], at)
      else {
        if (!mutated("keep-edges")) yield* handOver(id, retriedBy)
        yield* pipelines.replaceStep(id, retriedBy)
      }
      return written
    })
}
