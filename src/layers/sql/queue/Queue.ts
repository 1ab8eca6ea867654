/** The queue on SQLite: each method one transaction, each change of status a compare-and-set. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { whileLocked } from "../../../domain/RetrySchedules.ts"
import { upstreamsOf, withoutPruned } from "../../../domain/task/Arrival.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import { cancelledUnstarted, outcome } from "../../../domain/task/Outcome.ts"
import { TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { type ClaimOptions, Queue } from "../../../services/Queue.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeLaneOf } from "../limits/laneOf.ts"
import { makePark } from "../limits/park.ts"
import { makeMoveMessages } from "../messages/moveMessages.ts"
import { makeGiveBack } from "../questions/giveBack.ts"
import { StoredEnvironment, StoredLaunch, storedFlag } from "../tasks/Rows.ts"
import { claimById, claimedFrom, IdRow, orNotFound, readStart } from "../tasks/TaskRows.ts"
import { makeCancel } from "./cancel.ts"
import { makeClaim, type Taken } from "./claim.ts"
import { makeEdit } from "./edit.ts"
import { type Arrival, canonical, makeEnqueue } from "./enqueue.ts"
import { failClaimLost } from "./failClaimLost.ts"
import { makeFinish } from "./finish.ts"
import { makePrune } from "./prune.ts"
import { makeRefuseSharing } from "./refuseSharing.ts"

/** The end of a task that would keep every other from being claimed. */
const unreadable = outcome({
  status: "failed",
  cause: "spawn-failed",
  error: "What is stored of it cannot be read by this version of Backbeat. Submit it again."
})

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const store = makeEnqueue(sql)
  const refuseSharing = makeRefuseSharing(sql)
  const edit = makeEdit(sql)
  const finish = makeFinish(sql, ids)
  const cancel = makeCancel(sql, finish)
  const claims = makeClaim(sql)
  const lost = failClaimLost(sql)
  const claimedTask = claimById(sql)
  const park = makePark(sql)
  const giveBack = makeGiveBack(sql)
  const laneOf = makeLaneOf(sql)

  const moveMessages = makeMoveMessages(sql)

  const arrivalOf = (task: NewTask): Effect.Effect<Arrival> =>
    Effect.all({ id: ids.task, task: Effect.succeed(task), environmentId: ids.digest(canonical(task.environment)) })

  const findTask = Statement.findOne(() => ({
    Request: TaskId,
    Result: IdRow,
    execute: (id) => sql`SELECT id FROM tasks WHERE id = ${id}`
  }))

  const isGone = (id: TaskId) => Effect.map(findTask(id), Option.isNone)

  const findHeld = Statement.findOne(() => ({
    Request: Schema.Struct({ claimId: Schema.String, workerId: Schema.String }),
    Result: Schema.Struct({
      ...TaskSummary.pick("id", "cancelRequestedAt", "model", "agent", "group").fields,
      spare: storedFlag,
      budgets: Schema.String
    }),
    execute: ({ claimId, workerId }) => sql`
      SELECT tasks.id, tasks.cancel_requested_at, tasks.model, tasks.agent, tasks."group", tasks.spare,
        coalesce((SELECT budgets FROM lanes WHERE lanes.id = tasks.lane), '') AS budgets
      FROM claims JOIN tasks ON tasks.id = claims.task_id
      WHERE claims.claim_id = ${claimId} AND claims.worker_id = ${workerId}
    `
  }))

  const findCaptured = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      launch: StoredLaunch,
      variables: StoredEnvironment,
      revision: Schema.Int,
      resumeSession: Schema.NullOr(Schema.String)
    }),
    execute: (id) => sql`
      SELECT task_inputs.launch, environments.variables, tasks.revision, tasks.resume_session
      FROM task_inputs
      JOIN environments ON environments.id = task_inputs.environment_id
      JOIN tasks ON tasks.id = task_inputs.task_id
      WHERE task_inputs.task_id = ${id}
    `
  }))

  /** What is claimed, but a task that cannot be read, which ends: it would be claimed again and again. */
  const asClaimed = ({ claim, row }: Taken) =>
    readStart(row).pipe(
      Effect.map((start) => [claimedFrom(claim)(start)]),
      Effect.catchTag("ParseError", () =>
        // Where that fails, the claim is found without a supervisor by the next look at all claims.
        Effect.as(Effect.ignoreLogged(finish(claim.taskId, unreadable, claim).pipe(access.write("finish"))), [])
      )
    )

  const claimSeveral = Effect.fn("Queue.claimSeveral")(function* (options: ClaimOptions, most: number) {
    const once = Effect.gen(function* () {
      // A look without the lock first: workers ask often, and mostly there is nothing for them.
      const candidate = yield* claims.next(options).pipe(access.read("claim"))
      if (Option.isNone(candidate)) return []
      const claimIds = yield* Effect.replicateEffect(ids.claim, most)
      return yield* claims.take(options, claimIds).pipe(access.writeOnce("claim"))
    })
    // What was ready when the lock was taken by another worker is mostly that worker's by now: of fifty that saw it, one waits.
    const taken = yield* Effect.retry(once, { schedule: whileLocked, while: ({ reason }) => reason === "busy" })
    return (yield* Effect.forEach(taken, asClaimed)).flat()
  })

  return Queue.of({
    enqueue: Effect.fn("Queue.enqueue")(function* (tasks, { maxDepth, moves = [] }) {
      // Outside of the transaction, which must not wait for anything.
      const arrivals = yield* Effect.forEach(tasks, arrivalOf)
      return yield* refuseSharing(tasks).pipe(
        Effect.zipRight(store(arrivals, maxDepth)),
        Effect.tap((stored) => moveMessages(moves, stored)),
        access.writeWork("enqueue")
      )
    }),

    claim: (options) => Effect.map(claimSeveral(options, 1), ([first]) => Option.fromNullable(first)),

    claimSeveral,

    claimedTask: Effect.fn("Queue.claimOf")((claimId) => claimedTask(claimId).pipe(access.read("claimOf"))),

    finish: Effect.fn("Queue.finish")(function* (id, outcome, holder, retry) {
      if (retry === undefined || retry === null) {
        return yield* finish(id, outcome, holder).pipe(access.write("finish"))
      }
      const again = yield* arrivalOf(retry)
      const storeRetry = Effect.filter(upstreamsOf(retry), isGone).pipe(
        Effect.flatMap((gone) =>
          store([{ ...again, task: withoutPruned(retry, gone) }], Number.MAX_SAFE_INTEGER, "retry")
        ),
        // It comes from a task that was accepted, and waits for nothing.
        Effect.catchTags({
          DependencyInvalid: Effect.die,
          DepthExceeded: Effect.die,
          GoalLimitReached: Effect.die,
          IdempotencyConflict: Effect.die,
          TaskNotFound: Effect.die
        }),
        Effect.as(again.id)
      )
      return yield* finish(id, outcome, holder, storeRetry).pipe(access.write("finish"))
    }),

    requeue: Effect.fn("Queue.requeue")(function* (holder, account) {
      yield* Effect.gen(function* () {
        const held = yield* findHeld(holder)
        if (Option.isNone(held)) return yield* lost(holder.claimId, "requeue")
        const { agent, budgets, cancelRequestedAt, group, id, model, spare } = held.value
        if (cancelRequestedAt !== null) {
          yield* finish(id, cancelledUnstarted, holder).pipe(Effect.catchTag("TaskNotFound", Effect.die))
          return
        }
        yield* sql`DELETE FROM claims WHERE claim_id = ${holder.claimId}`
        yield* giveBack(holder.claimId)
        yield* sql`
          UPDATE claim_history SET released_at = ${yield* Clock.currentTimeMillis}, released = 'requeued'
          WHERE claim_id = ${holder.claimId}
        `
        // One that was put back before has started before, and waits no more.
        yield* sql`
          UPDATE tasks SET status = 'queued',
            started_at = CASE WHEN parks + wakes > 0 OR resume_session IS NOT NULL THEN started_at END
          WHERE id = ${id} AND status = 'running'
        `
        if (account !== undefined) {
          const lane = yield* laneOf({ account, model, agent, group, spare, budgets })
          yield* sql`UPDATE tasks SET account = ${account.key}, lane = ${lane} WHERE id = ${id}`
        }
      }).pipe(access.write("requeue"))
    }),

    park: Effect.fn("Queue.park")(function* (holder, parking) {
      return yield* Effect.gen(function* () {
        const held = yield* findHeld(holder)
        if (Option.isNone(held)) return yield* lost(holder.claimId, "park")
        const { cancelRequestedAt, id } = held.value
        if (cancelRequestedAt === null) {
          yield* park(id, holder.claimId, parking)
          return Option.none()
        }
        return Option.some(
          yield* finish(id, { ...cancelledUnstarted, spending: parking.spending }, holder).pipe(
            Effect.catchTag("TaskNotFound", Effect.die)
          )
        )
      }).pipe(access.write("park"))
    }),

    cancel: Effect.fn("Queue.cancel")((id, request) => cancel(id, request).pipe(access.writeWork("cancel"))),

    captured: Effect.fn("Queue.captured")(function* (id) {
      const { launch, resumeSession, revision, variables } = yield* findCaptured(id).pipe(
        orNotFound(id),
        access.read("captured")
      )
      return { launch, environment: variables, revision, resumeSession }
    }),

    edit: Effect.fn("Queue.edit")(function* (id, change, revision) {
      const { environment } = change
      const environmentId = environment === undefined ? null : yield* ids.digest(canonical(environment))
      return yield* edit(id, change, revision, environmentId).pipe(access.writeWork("edit"))
    }),

    prune: Effect.fn("Queue.prune")(makePrune(sql, access))
  })
})

export const layer = Layer.effect(Queue, make)
