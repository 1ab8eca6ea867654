/** Names the one thing that a task waits for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Gate } from "../../domain/gates/Gate.ts"
import { GroupName } from "../../domain/gates/GroupName.ts"
import { AccountKey } from "../../domain/limits/Account.ts"
import { LoopId } from "../../domain/loop/LoopId.ts"
import { Question } from "../../domain/questions/Question.ts"
import { FailureClass, isTerminal, TaskId, TaskStatus, Timestamp } from "../../domain/task/Task.ts"
import { StopCause } from "../../domain/worker/Claim.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Questions } from "../../services/Questions.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { HoldView, holdView } from "../budgets/BudgetView.ts"
import { neglected, rescue } from "../serving/Neglect.ts"
import { hasWorker, seenWorkers } from "../serving/Seen.ts"
import { admission, makeSettling } from "../worker/admission.ts"
import { isCut } from "./isCut.ts"
import { silenceOf } from "./silenceOf.ts"

export const WhyReason = Schema.Literal(
  /** It has ended. */
  "ended",
  /** It runs: it waits for nothing but its agent. */
  "running",
  /** It runs and is being ended. */
  "ending",
  /** It counts as running, and its worker is gone; one was started if none served the queue. */
  "worker-lost",
  /** Its worker, `workerPid`, is stopped by a signal. */
  "worker-stopped",
  /** Its worker is in another container or on another host and has not written for minutes. */
  "worker-unseen",
  /** A worker in another container or on another host serves the queue, and none is started here. */
  "elsewhere",
  /** `notBefore` has not come yet. */
  "not-before",
  /** The limit `window` of its account is met: it opens at `opensAt`. */
  "limit",
  /** A person paused everything, or its group, agent or pipeline: `gate`. */
  "paused",
  /** It runs, and a person has stopped its processes where they are: `gate`. */
  "frozen",
  /** It has asked `question`, and waits for a person. */
  "asks",
  /** A budget that covers it has no room for it: `budget`. */
  "budget",
  /** `running` of `limit` tasks of `group` run. */
  "group-limit",
  /** `running` of `limit` tasks of its goal, `goal`, run. */
  "goal-limit",
  /** `waitingOn` tasks have to end first, `blockedBy` among them. */
  "blocked",
  /** No worker serves the queue. */
  "no-worker",
  /** `running` of `limit` workers are taken. */
  "concurrency-limit",
  /** `availableBytes` of memory are free, `neededBytes` are wanted. */
  "memory",
  /** Another task, `blockedBy`, works in its workspace. */
  "workspace",
  /** It has a worker, which makes its workspace. */
  "workspace-cut",
  /** Workspaces hold `workspaceBytes` of `workspaceMaxBytes`, and it needs another one. */
  "workspace-bytes",
  /** `ahead` tasks start before it. */
  "behind",
  /** Nothing: it starts within moments. */
  "starting",
  /** `tries` starts of its agent failed, the last with `error`. The next one follows within seconds. */
  "starting-fails"
)

export const Why = Schema.Struct({
  taskId: TaskId,
  status: TaskStatus,
  reason: WhyReason,
  cause: Schema.NullOr(StopCause),
  error: Schema.NullOr(Schema.String),
  /** The automatic retry that it led to. */
  retriedBy: Schema.NullOr(TaskId),
  notBefore: Schema.NullOr(Timestamp),
  /** The account whose limit it waits for. */
  account: Schema.NullOr(AccountKey),
  window: Schema.NullOr(Schema.String),
  opensAt: Schema.NullOr(Timestamp),
  gate: Schema.NullOr(Gate),
  /** Its oldest open question. */
  question: Schema.NullOr(Question.pick("id", "text", "options")),
  budget: Schema.NullOr(HoldView),
  /** The group whose limit it waits for. */
  group: Schema.NullOr(GroupName),
  /** The goal whose limit it waits for. */
  goal: Schema.NullOr(LoopId),
  waitingOn: Schema.NullOr(Schema.Int),
  blockedBy: Schema.NullOr(TaskId),
  ahead: Schema.NullOr(Schema.Int),
  running: Schema.NullOr(Schema.Int),
  limit: Schema.NullOr(Schema.Int),
  availableBytes: Schema.NullOr(Schema.Int),
  neededBytes: Schema.NullOr(Schema.Int),
  workspaceBytes: Schema.NullOr(Schema.Int),
  workspaceMaxBytes: Schema.NullOr(Schema.Int),
  silentMs: Schema.NullOr(Schema.Int),
  /** Why the attempt before it failed, where its time comes from that. */
  failureBefore: Schema.NullOr(FailureClass),
  tries: Schema.NullOr(Schema.Int),
  /** The pid of the worker process that the reason is about. */
  workerPid: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "Why" })
export type Why = typeof Why.Type

export const why = Effect.fn("why")(function* (reference: string) {
  const tasks = yield* Tasks
  const registry = yield* WorkerRegistry
  const id = yield* tasks.resolve(reference)
  const task = yield* tasks.summary(id)
  const now = yield* Clock.currentTimeMillis
  const answer = (reason: typeof WhyReason.Type, more: Partial<Why> = {}): Why => ({
    taskId: id,
    status: task.status,
    reason,
    cause: task.cause,
    error: task.error,
    retriedBy: task.retriedBy,
    notBefore: task.notBefore,
    account: null,
    window: null,
    opensAt: null,
    gate: null,
    question: null,
    budget: null,
    group: null,
    goal: null,
    waitingOn: null,
    blockedBy: null,
    ahead: null,
    running: null,
    limit: null,
    availableBytes: null,
    neededBytes: null,
    workspaceBytes: null,
    workspaceMaxBytes: null,
    silentMs: null,
    failureBefore: null,
    tries: null,
    workerPid: null,
    ...more
  })

  /** Of an agent that was never started, which has no output to speak of. */
  const starting = (more: Partial<Why> = {}) =>
    Effect.map(
      registry.startProblem(id),
      Option.match({
        onNone: () => answer("starting", more),
        onSome: ({ count, message }) => answer("starting-fails", { ...more, error: message, tries: count })
      })
    )

  const asking = (more: Partial<Why> = {}) =>
    Effect.gen(function* () {
      const asked = yield* (yield* Questions).ofTask(id)
      const open = asked.find(({ state }) => state === "open")
      const question = open === undefined ? null : { id: open.id, text: open.text, options: open.options }
      return answer("asks", { ...more, question })
    })

  if (isTerminal(task.status)) return answer("ended")
  if (task.status === "running") {
    const found = yield* neglected([id])
    const state = found.get(id)
    if (state !== undefined) {
      yield* rescue(found)
      return answer(state.reason, { workerPid: state.pid, silentMs: yield* silenceOf(task) })
    }
    const claim = yield* registry.claimOf(id)
    const stop = Option.match(claim, { onNone: () => null, onSome: ({ stopCause }) => stopCause })
    const cause = stop ?? (task.cancelRequestedAt === null ? null : "cancelled")
    if (cause === null && Option.exists(claim, ({ state }) => state === "claimed")) {
      return (yield* isCut(task)) ? answer("workspace-cut") : yield* starting()
    }
    const silentMs = yield* silenceOf(task)
    if (cause === null && task.frozenAt !== null) {
      const gate = (yield* (yield* Gates).list).find(({ name, scope }) => scope === "task" && name === id)
      return answer("frozen", { gate: gate ?? null, silentMs })
    }
    if (cause === null && task.asks > 0) return yield* asking({ silentMs })
    return cause === null ? answer("running", { silentMs }) : answer("ending", { cause, silentMs })
  }
  if (task.waitingOn > 0) {
    const { dependsOn } = yield* tasks.get(id)
    const pending = dependsOn.filter(({ state }) => state === "pending")
    return answer("blocked", { waitingOn: pending.length, blockedBy: pending[0]?.taskId ?? null })
  }
  if (task.notBefore !== null && task.notBefore > now) {
    const before = task.retryOf === null ? null : yield* Effect.option(tasks.summary(task.retryOf))
    const failureBefore = before === null ? null : Option.getOrNull(Option.map(before, (one) => one.failureClass))
    return answer("not-before", { failureBefore })
  }

  if (task.asks > 0) return yield* asking()

  const ahead = Option.getOrElse(yield* tasks.ahead(id), () => 0)
  const hold = Option.getOrNull(yield* (yield* Gates).holding(id))
  if (hold !== null) {
    return "gate" in hold ? answer("paused", { ahead, gate: hold.gate }) : answer("group-limit", { ahead, ...hold })
  }
  const limit = yield* tasks.limitWait(id)
  if (Option.isSome(limit)) return answer("limit", { ahead, ...limit.value })
  const budget = Option.getOrNull(yield* (yield* Budgets).holds(id))
  if (budget !== null) return answer("budget", { ahead, budget: holdView(budget), opensAt: budget.budget.to })
  const full = task.goalId === null ? Option.none() : yield* tasks.goalWait(id)
  if (Option.isSome(full)) return answer("goal-limit", { ahead, ...full.value })
  if (!(yield* hasWorker())) return answer("no-worker", { ahead })

  const settings = yield* (yield* SettingsStore).get
  if (task.workspaceId !== null) {
    const workspaces = yield* Workspaces
    const place = yield* workspaces.waitOf(id)
    if (place !== null && place.by !== null) return answer("workspace", { ahead, blockedBy: place.by })
    const { workspaceMaxBytes } = settings
    const workspaceBytes = (yield* workspaces.held).bytes
    if (place?.state === "planned" && workspaceMaxBytes !== null && workspaceBytes >= workspaceMaxBytes)
      return answer("workspace-bytes", { ahead, workspaceBytes, workspaceMaxBytes })
  }
  const claims = yield* registry.claims
  const admitted = yield* admission(claims, yield* makeSettling()(claims), settings)
  if (admitted._tag === "ConcurrencyLimit") {
    return answer("concurrency-limit", { ahead, running: admitted.running, limit: admitted.limit })
  }
  if (admitted._tag === "Memory") {
    return answer("memory", {
      ahead,
      availableBytes: Math.round(admitted.available),
      neededBytes: Math.round(admitted.needed)
    })
  }
  if (ahead > 0) return answer("behind", { ahead })
  const seen = yield* seenWorkers()
  const away = seen.some(({ serving }) => serving === "serves")
    ? undefined
    : seen.find(({ serving }) => serving === "elsewhere")
  return away === undefined
    ? yield* starting({ ahead })
    : answer("elsewhere", { ahead, workerPid: away.worker.process.pid })
})
