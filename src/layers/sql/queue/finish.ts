/** The end of a task: the one place that writes a terminal status. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { AccountKey } from "../../../domain/limits/Account.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { cancelledUnstarted, type Outcome } from "../../../domain/task/Outcome.ts"
import { TaskId, TaskStatus, TaskSummary, Timestamp } from "../../../domain/task/Task.ts"
import { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { endStep, transition } from "../../../domain/task/Transition.ts"
import type { Ids } from "../../../services/Ids.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"
import { makeContestEnds } from "../contests/contestEnds.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { makeEndTree } from "../goals/endTree.ts"
import { makeWindows } from "../limits/windows.ts"
import { makeCancelLoop } from "../loops/cancelLoop.ts"
import { makeLoopEnds } from "../loops/loopEnds.ts"
import { makePipelineEnds } from "../pipelines/pipelineEnds.ts"
import { EndRow } from "../tasks/Rows.ts"
import { orDieWhenMissing, orNotFound } from "../tasks/TaskRows.ts"
import { makeRecordUsage } from "../usage/recordUsage.ts"
import { type FinishError, makeCancel } from "./cancel.ts"
import { makeReleaseDependents } from "./releaseDependents.ts"

const readClaim = Schema.decodeUnknownOption(
  Schema.Struct({ account: AccountKey, claimedAt: Timestamp, family: Schema.String })
)

/** The reason of a loop that is cancelled because its task has ended before it. */
const forTask = (id: TaskId) => ({ reason: `task ${id} waited for it and was cancelled`, by: `task ${id}` })

/**
 * The body of the transaction that ends a task, and all tasks that can no longer start because of it; it must run inside
 * one. Without a holder only a queued task ends. A cancel request does not change the outcome: if the agent exits before
 * the cancel reaches it, its own outcome counts.
 */
export const makeFinish = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const windows = makeWindows(sql)
  const recordUsage = makeRecordUsage(sql)
  const { releaseDependents } = makeReleaseDependents(sql)
  const pipelines = makePipelineEnds(sql)
  const loops = makeLoopEnds(sql, ids)
  const contests = makeContestEnds(sql)
  const endTree = makeEndTree(sql)

  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("status", "cancelRequestedAt"),
    execute: (id) => sql`SELECT status, cancel_requested_at FROM tasks WHERE id = ${id}`
  }))

  /** A cancel that came while it failed means the work, not this attempt. */
  const isWanted = (id: TaskId) =>
    Effect.map(findStanding(id).pipe(orNotFound(id)), ({ cancelRequestedAt }) => cancelRequestedAt === null)

  /** Returns from the same statement what else there is to do: mostly nothing. */
  const writeEnd = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, from: TaskStatus, end: EndRow }),
    Result: Schema.Struct({
      awaited: Schema.Int,
      stepped: Schema.Int,
      looped: Schema.Int,
      contested: Schema.Int,
      holding: Schema.NullOr(LoopId),
      led: Schema.NullOr(LoopId)
    }),
    execute: ({ end, from, id }) => sql`
      UPDATE tasks SET ${sql.update(end, end.sessionId === null ? ["sessionId"] : [])}
      WHERE id = ${id} AND status = ${from}
      RETURNING
        EXISTS (SELECT 1 FROM task_dependencies WHERE upstream_id = ${id} AND state = 'pending') AS awaited,
        EXISTS (SELECT 1 FROM pipeline_steps WHERE task_id = ${id}) AS stepped,
        EXISTS (SELECT 1 FROM loop_round_tasks WHERE task_id = ${id}) AS looped,
        EXISTS (SELECT 1 FROM contest_tasks WHERE task_id = ${id}) AS contested,
        (SELECT id FROM loops WHERE step_task = ${id} AND loops.ended_at IS NULL) AS holding,
        CASE WHEN parent_id IS NULL THEN goal_id END AS led
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

  /** Work that was completed shows that the limit of its account is over, whatever its agent printed. */
  const served = (id: TaskId, claim: unknown) =>
    Option.match(readClaim(claim), {
      onNone: () => Effect.void,
      onSome: (one) => windows.observeBy(id, one, [{ _tag: "Served" }])
    })

  const finish = <E = never, R = never>(
    id: TaskId,
    ending: Outcome,
    holder: Holder | null,
    /** Stores the automatic retry of a task that has failed. */
    storeRetry: Effect.Effect<TaskId, E, R> | null = null
  ): Effect.Effect<TaskEnded, E | FinishError, R> =>
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
          RETURNING account, claimed_at, reserve_micro, reserve_tokens, used,
            (SELECT family FROM lanes JOIN tasks ON lanes.id = tasks.lane WHERE tasks.id = claims.task_id) AS family
        `)
        if (removed.length === 0) return yield* conflict("finish")
        if (ending.status === "completed") yield* served(id, removed[0])
        yield* recordUsage(id, holder.claimId, ending.spending, removed[0])
      }
      const at = yield* Clock.currentTimeMillis
      const retriedBy =
        ending.status === "failed" && storeRetry !== null && (yield* isWanted(id)) ? yield* storeRetry : null
      const { spending: _recorded, ...told } = ending
      const end = { ...told, endedAt: at, retriedBy, waitingOn: 0, asks: 0 }
      const ended = yield* writeEnd({ id, from, end })
      if (ended._tag === "None") return yield* conflict(step)
      const { awaited, contested, holding, led, looped, stepped } = ended.value
      const event = { kind: "task", id, status: ending.status, cause: ending.cause, at, retriedBy } as const
      const written = yield* writeEvent(event).pipe(orDieWhenMissing)
      if (retriedBy === null) {
        if (led !== null) {
          for (const below of yield* endTree(led, at)) {
            // The end of one before it may have ended this one, which depends on it.
            const { status } = yield* findStanding(below).pipe(orNotFound(below))
            if (status === "queued") yield* finish(below, cancelledUnstarted, null)
          }
        }
        if (holding !== null) yield* cancelLoop(holding, forTask(id))
        const cancelled = awaited === 1 ? yield* releaseDependents(id) : []
        if (stepped === 1 || cancelled.length > 0) yield* pipelines.afterEnds([id, ...cancelled], at)
        if (looped === 1) yield* loops.afterEnd(id, at)
        if (contested === 1 || cancelled.length > 0) yield* contests.afterEnds([id, ...cancelled], at)
      } else {
        yield* handOver(id, retriedBy)
        yield* pipelines.replaceStep(id, retriedBy)
        if (looped === 1) yield* loops.replaceTask(id, retriedBy)
        if (contested === 1) yield* contests.replaceTask(id, retriedBy)
      }
      return written
    })

  const cancelLoop = makeCancelLoop(sql, makeCancel(sql, finish))

  return finish
}
