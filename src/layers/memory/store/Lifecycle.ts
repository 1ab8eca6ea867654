/** The steps in the life of a task in memory: submit, edit, claim, end. */
import * as Either from "effect/Either"
import { type DepthExceeded, IdempotencyConflict, TaskNotFound, TaskStateConflict } from "../../../domain/Errors.ts"
import { arrivalOf, isSameWork, unstarted } from "../../../domain/task/Arrival.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import type { Outcome } from "../../../domain/task/Outcome.ts"
import { claimOrder, isReady } from "../../../domain/task/Readiness.ts"
import { type TaskId, titleOf } from "../../../domain/task/Task.ts"
import type { TaskEdit } from "../../../domain/task/TaskEdit.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { endStep, transition } from "../../../domain/task/Transition.ts"
import { traceparentOf } from "../../../domain/traces/TraceContext.ts"
import { type Claim, type ClaimId, newClaim } from "../../../domain/worker/Claim.ts"
import type { ClaimOptions, Enqueued } from "../../../services/Queue.ts"
import { handOver, reconnect, releaseDependents } from "./Edges.ts"
import { change, end, nextNumber, type State, taskIn, tasksIn } from "./State.ts"

/** Stores one task as queued, without its edges. */
export const submit = (
  draft: State,
  task: NewTask,
  { id, maxDepth, now }: { readonly id: TaskId; readonly now: number; readonly maxDepth: number }
): Either.Either<Enqueued, DepthExceeded | IdempotencyConflict | TaskNotFound> =>
  Either.gen(function* () {
    const key = task.idempotencyKey
    const twin = key === null ? undefined : tasksIn(draft).find(({ idempotencyKey }) => idempotencyKey === key)
    if (key !== null && twin !== undefined) {
      if (!isSameWork(twin, task)) yield* Either.left(new IdempotencyConflict({ key, existing: twin.id }))
      return { task: twin, created: false }
    }
    const forebear = (of: TaskId | null) => {
      const stored = of === null ? undefined : draft.tasks.get(of)
      return stored === undefined ? null : { ...stored.task, traceparent: stored.traceparent }
    }
    const [parent, original] = [forebear(task.parentId), forebear(task.retryOf)]
    if (task.retryOf !== null && original === null) yield* Either.left(new TaskNotFound({ reference: task.retryOf }))
    const arrival = yield* arrivalOf(task, { parent, original }, maxDepth)
    const traceparent = traceparentOf(task.traceparent, parent, original)
    const { budgetMicro: _b, continueFrom: _c, dependsOn: _d, environment, launch, workspace: _w, ...fields } = task
    const seq = nextNumber(draft, "task")
    const stored = { ...fields, ...unstarted, ...arrival, id, seq, createdAt: now }
    draft.tasks.set(id, { task: stored, launch, environment, revision: 0, traceparent })
    return { task: stored, created: true }
  })

/** Changes a task that has not started. */
export const edit = (draft: State, id: TaskId, fields: TaskEdit, revision: number) =>
  Either.gen(function* () {
    const stored = draft.tasks.get(id) ?? (yield* Either.left(new TaskNotFound({ reference: id })))
    const { task } = stored
    if (task.status !== "queued" || stored.revision !== revision) {
      yield* Either.left(new TaskStateConflict({ id, step: "be edited", actual: task.status }))
    }
    const { account, dependsOn, environment = stored.environment, launch = stored.launch, ...given } = fields
    const title = fields.prompt === undefined ? task.title : titleOf(fields.prompt)
    const key = account === undefined ? task.account : (account?.key ?? null)
    const edited = { ...task, ...given, title, account: key }
    draft.tasks.set(id, { ...stored, task: edited, launch, environment, revision: revision + 1 })
    if (dependsOn !== undefined) yield* reconnect(draft, task, dependsOn)
    return taskIn(draft, id) ?? edited
  })

/** Claims the next ready task, if there is one and room for it. */
export const take = (draft: State, options: ClaimOptions, claimId: ClaimId, now: number): Claim | undefined => {
  const limit = options.onlyWhenIdle ? Math.min(1, options.maxConcurrency) : options.maxConcurrency
  if (draft.claims.size >= limit) return undefined
  const [task] = Array.from(draft.tasks.values())
    .filter(({ launch }) => launch.uid === undefined || launch.uid === options.uid)
    .flatMap((stored) => (isReady(stored.task, now) ? [stored.task] : []))
    .sort(claimOrder)
  if (task === undefined) return undefined
  const { id, timeoutMs } = task
  const claim = newClaim({ ...options, taskId: id, claimId, claimedAt: now, timeoutMs, boundMs: null })
  change(draft, id, { status: "running", startedAt: task.startedAt ?? now })
  draft.claims.set(id, claim)
  draft.history.set(claimId, id)
  return claim
}

/** The one step to a terminal status: outcome, claim, event and what waits for the task together. */
export const conclude = (
  draft: State,
  id: TaskId,
  outcome: Outcome,
  now: number,
  retriedBy: TaskId | null = null
): Either.Either<TaskEnded, TaskNotFound | TaskStateConflict> => {
  const task = draft.tasks.get(id)?.task
  if (task === undefined) return Either.left(new TaskNotFound({ reference: id }))
  const step = endStep[outcome.status]
  if (transition(task.status, step) === null) {
    return Either.left(new TaskStateConflict({ id, step, actual: task.status }))
  }
  const { spending: _spending, ...fields } = outcome
  const event = end(draft, id, { ...fields, sessionId: outcome.sessionId ?? task.sessionId, at: now, retriedBy })
  draft.claims.delete(id)
  if (retriedBy === null) releaseDependents(draft, [id], now)
  else handOver(draft, id, retriedBy)
  return Either.right(event)
}
