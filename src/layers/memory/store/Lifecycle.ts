/** The steps in the life of a task on the in-memory state: submit, claim, end. */
import * as Either from "effect/Either"
import { treeBudget } from "../../../domain/budgets/Budget.ts"
import {
  type DependencyInvalid,
  DepthExceeded,
  IdempotencyConflict,
  TaskNotFound,
  TaskStateConflict
} from "../../../domain/Errors.ts"
import { defaultGiveUpMs } from "../../../domain/limits/Parking.ts"
import type { Environment, NewTask } from "../../../domain/task/NewTask.ts"
import type { Outcome } from "../../../domain/task/Outcome.ts"
import { type Task, type TaskId, titleOf } from "../../../domain/task/Task.ts"
import type { TaskEdit } from "../../../domain/task/TaskEdit.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { endStep, transition } from "../../../domain/task/Transition.ts"
import { traceparentWithin } from "../../../domain/traces/TraceContext.ts"
import { type Claim, type ClaimId, deadlineOf } from "../../../domain/worker/Claim.ts"
import type { ClaimOptions, Enqueued } from "../../../services/Queue.ts"
import { heldFor, holdsIn } from "./BudgetState.ts"
import { holdIn, withoutTaskGate } from "./GateState.ts"
import { handOver, reconnect, releaseDependents } from "./Graph.ts"
import { recorded } from "./LedgerState.ts"
import { gateOf, hasPlace, openingOf, released, served, withAccount } from "./LimitState.ts"
import { afterEnds, replaceStep } from "./PipelineState.ts"
import { closed, given } from "./QuestionState.ts"
import { changed, put, type State, type Step, taskIn, without } from "./Store.ts"

/** Below 0 when `left` would be claimed before `right`. */
export const claimOrder = (left: Task, right: Task): number =>
  left.priority === right.priority ? left.seq - right.seq : left.priority < right.priority ? -1 : 1

/** Queued, due, not blocked and not asked to stop. */
export const isReady = (task: Task, now: number): boolean =>
  task.status === "queued" &&
  task.waitingOn === 0 &&
  task.asks === 0 &&
  task.cancelRequestedAt === null &&
  (task.notBefore === null || task.notBefore <= now)

const keyOf = (environment: Environment): string => JSON.stringify(Object.entries(environment).sort())

const replay = (existing: Task, task: NewTask, key: string): Either.Either<Enqueued, IdempotencyConflict> =>
  existing.prompt === task.prompt && existing.agent === task.agent && existing.directory === task.directory
    ? Either.right({ task: existing, created: false })
    : Either.left(new IdempotencyConflict({ key, existing: existing.id }))

/** Where its original is in a trace, or its parent. */
const traceAbove = (state: State, { parentId, retryOf }: NewTask): string | null => {
  if (retryOf !== null) return state.tasks.get(retryOf)?.traceparent ?? null
  const above = parentId === null ? undefined : state.tasks.get(parentId)
  return above === undefined ? null : traceparentWithin({ ...above.task, traceparent: above.traceparent })
}

/** Stores one task as queued, without its edges. */
export const submit = (
  state: State,
  task: NewTask,
  context: { readonly id: TaskId; readonly now: number; readonly maxDepth: number }
): Either.Either<Step<Enqueued>, DepthExceeded | IdempotencyConflict | TaskNotFound> => {
  const key = task.idempotencyKey
  const twin = key === null ? undefined : Array.from(state.tasks.values()).find((x) => x.task.idempotencyKey === key)
  if (key !== null && twin !== undefined) {
    return Either.map(replay(taskIn(state, twin.task.id) ?? twin.task, task, key), (enqueued) => [enqueued, state])
  }
  const parent = task.parentId === null ? undefined : taskIn(state, task.parentId)
  const depth = parent === undefined ? task.depth : parent.depth + 1
  if (depth > context.maxDepth) return Either.left(new DepthExceeded({ depth, limit: context.maxDepth }))
  const original = task.retryOf === null ? undefined : taskIn(state, task.retryOf)
  if (task.retryOf !== null && original === undefined) return Either.left(new TaskNotFound({ reference: task.retryOf }))

  const {
    account,
    budgetMicro,
    continueFrom: _upstream,
    dependsOn: _edges,
    environment,
    launch,
    traceparent,
    workspace,
    ...fields
  } = task
  const stored: Task = {
    ...fields,
    id: context.id,
    account: account?.key ?? null,
    group: task.group ?? null,
    goalId: null,
    onLimit: task.onLimit ?? "park",
    giveUpMs: task.giveUpMs ?? defaultGiveUpMs,
    fallback: task.fallback ?? [],
    parks: 0,
    parkedAt: null,
    frozenAt: null,
    wakes: 0,
    seq: state.lastSeq + 1,
    title: titleOf(task.prompt),
    status: "queued",
    depth,
    attempt: original === undefined ? 1 : original.attempt + 1,
    rootId: original === undefined ? null : (original.rootId ?? original.id),
    retriedBy: null,
    continueFrom: null,
    dependsOn: [],
    waitingOn: 0,
    asks: 0,
    pipelineId: null,
    workspaceId: workspace?.id ?? null,
    createdAt: context.now,
    startedAt: null,
    endedAt: null,
    cancelRequestedAt: null,
    cancelReason: null,
    cancelledBy: null,
    cause: null,
    exitCode: null,
    signal: null,
    error: null,
    failureClass: null,
    failureResetAt: null,
    bytesStored: 0,
    bytesDropped: 0,
    leftovers: 0,
    usage: null,
    answer: null
  }
  const known = account === undefined ? state : withAccount(state, account.key, account.agent, context.now)
  const budget = budgetMicro === undefined ? null : treeBudget(stored.id, budgetMicro)
  const next: State = {
    ...known,
    budgets: budget === null ? known.budgets : put(known.budgets, budget.name, budget),
    lastSeq: stored.seq,
    tasks: put(state.tasks, stored.id, {
      task: stored,
      launch,
      environment: keyOf(environment),
      revision: 0,
      resumeSession: null,
      timeLeftMs: null,
      traceparent: traceparent ?? traceAbove(state, task)
    }),
    environments: put(state.environments, keyOf(environment), environment)
  }
  return Either.right([{ task: stored, created: true }, next])
}

/** Changes a task that has not started. */
export const edit = (
  state: State,
  id: TaskId,
  change: TaskEdit,
  revision: number
): Either.Either<State, DependencyInvalid | TaskNotFound | TaskStateConflict> =>
  Either.gen(function* () {
    const stored = state.tasks.get(id)
    if (stored === undefined) return yield* Either.left(new TaskNotFound({ reference: id }))
    const { task } = stored
    if (task.status !== "queued" || stored.revision !== revision) {
      return yield* Either.left(new TaskStateConflict({ id, step: "be edited", actual: task.status }))
    }
    const { account, dependsOn, environment, launch, ...given } = change
    const title = change.prompt === undefined ? task.title : titleOf(change.prompt)
    const known = environment === undefined ? stored.environment : keyOf(environment)
    const acquainted = account ? withAccount(state, account.key, account.agent, task.createdAt) : state
    const next: State = {
      ...acquainted,
      tasks: put(state.tasks, id, {
        task: { ...task, ...given, title, account: account === undefined ? task.account : (account?.key ?? null) },
        launch: launch ?? stored.launch,
        environment: known,
        revision: revision + 1,
        resumeSession: launch === undefined ? stored.resumeSession : null,
        timeLeftMs: stored.timeLeftMs,
        traceparent: stored.traceparent
      }),
      environments: environment === undefined ? state.environments : put(state.environments, known, environment)
    }
    return dependsOn === undefined ? next : yield* reconnect(next, task, dependsOn)
  })

/** The claim row of the next ready task, or undefined where the limits forbid it or nothing is ready. */
export const take = (
  state: State,
  options: ClaimOptions,
  context: { readonly claimId: ClaimId; readonly now: number }
): Step<Claim | undefined> => {
  const busy = state.claims.size
  if (busy >= options.maxConcurrency || (options.onlyWhenIdle && busy > 0)) return [undefined, state]
  const ready = Array.from(state.tasks.values())
    .filter(({ launch }) => launch.uid === undefined || launch.uid === options.uid)
    .map((stored) => stored.task)
    .filter((task) => isReady(task, context.now))
    .filter((task) => holdIn(state, task, context.now) === null)
    .filter((task) => openingOf(state, task, context.now).opensAt === 0 && hasPlace(state, task, context.now))
    .filter((task) => holdsIn(state, task, context.now).length === 0)
    .sort(claimOrder)
  const [task] = ready
  if (task === undefined) return [undefined, state]
  const claim: Claim = {
    taskId: task.id,
    claimId: context.claimId,
    workerId: options.workerId,
    state: "claimed",
    process: null,
    bootId: options.bootId,
    claimedAt: context.now,
    runningAt: null,
    deadlineUptime: deadlineOf(options.uptimeMs, state.tasks.get(task.id)?.timeLeftMs ?? task.timeoutMs),
    frozenUptime: null,
    stopCause: null,
    stopAt: null
  }
  const running = released(
    changed(given(state, task.id, context.claimId), task.id, {
      status: "running",
      startedAt: task.startedAt ?? context.now,
      parkedAt: null
    }),
    task.id,
    context.now
  )
  return [
    claim,
    {
      ...running,
      claims: put(state.claims, task.id, claim),
      live: put(state.live, task.id, heldFor(state, task, context.now)),
      claimHistory: put(state.claimHistory, claim.claimId, task.id)
    }
  ]
}

/** The one step to a terminal status: outcome, claim row, outbox row and what waits for the task together. */
export const conclude = (
  state: State,
  id: TaskId,
  outcome: Outcome,
  now: number,
  retriedBy: TaskId | null = null
): Either.Either<Step<TaskEnded>, TaskNotFound | TaskStateConflict> => {
  const task = taskIn(state, id)
  if (task === undefined) return Either.left(new TaskNotFound({ reference: id }))
  const step = endStep[outcome.status]
  if (transition(task.status, step) === null) {
    return Either.left(new TaskStateConflict({ id, step, actual: task.status }))
  }
  const event: TaskEnded = {
    seq: state.lastEvent + 1,
    kind: "task",
    id,
    status: outcome.status,
    cause: outcome.cause,
    at: now,
    retriedBy
  }
  const { spending, ...end } = outcome
  const ended = changed(state, id, {
    ...end,
    sessionId: outcome.sessionId ?? task.sessionId,
    endedAt: now,
    retriedBy,
    waitingOn: 0,
    asks: 0,
    frozenAt: null
  })
  const claims = without(state.claims, id)
  const claim = state.claims.get(id)
  const proven =
    outcome.status === "completed" && claim !== undefined && task.account !== null
      ? served(ended, gateOf(ended, task.account), claim.claimedAt, now)
      : ended
  const counted = claim === undefined ? proven : recorded(proven, task, claim, spending, now)
  const told = withoutTaskGate(closed(counted, id), id, retriedBy)
  const next = {
    ...told,
    live: without(told.live, id),
    claims,
    outbox: [...state.outbox, event],
    lastEvent: event.seq
  }
  if (retriedBy !== null) return Either.right([event, replaceStep(handOver(next, id, retriedBy), id, retriedBy)])
  const [cascaded, settled] = releaseDependents(next, [id], now)
  return Either.right([event, afterEnds(settled, [id, ...cascaded.map((end) => end.id)], now)])
}
