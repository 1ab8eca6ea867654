/** Names the one thing that a task waits for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { EndCause, FailureClass, isTerminal, TaskId, TaskStatus, Timestamp } from "../../domain/task/Task.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { neglected, rescue } from "../serving/Neglect.ts"
import { hasWorker, seenWorkers } from "../serving/Seen.ts"
import { admission, makeSettling } from "../worker/admission.ts"
import { silenceOf } from "./silence.ts"

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
  /** `waitingOn` tasks have to end first, `blockedBy` among them. */
  "blocked",
  /** No worker serves the queue. */
  "no-worker",
  /** `running` of `limit` workers are taken. */
  "concurrency-limit",
  /** `availableBytes` of memory are free, `neededBytes` are wanted. */
  "memory",
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
  cause: Schema.NullOr(EndCause),
  error: Schema.NullOr(Schema.String),
  /** The automatic retry that it led to. */
  retriedBy: Schema.NullOr(TaskId),
  notBefore: Schema.NullOr(Timestamp),
  waitingOn: Schema.NullOr(Schema.Int),
  blockedBy: Schema.NullOr(TaskId),
  ahead: Schema.NullOr(Schema.Int),
  running: Schema.NullOr(Schema.Int),
  limit: Schema.NullOr(Schema.Int),
  availableBytes: Schema.NullOr(Schema.Int),
  neededBytes: Schema.NullOr(Schema.Int),
  silentMs: Schema.NullOr(Schema.Int),
  /** Why the try before it failed, where its time comes from that. */
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
    waitingOn: null,
    blockedBy: null,
    ahead: null,
    running: null,
    limit: null,
    availableBytes: null,
    neededBytes: null,
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
    if (cause === null && Option.exists(claim, ({ state }) => state === "claimed")) return yield* starting()
    const silentMs = yield* silenceOf(task)
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

  const ahead = Option.getOrElse(yield* tasks.ahead(id), () => 0)
  if (!(yield* hasWorker())) return answer("no-worker", { ahead })

  const settings = yield* SettingsStore
  const claims = yield* registry.claims
  const admitted = yield* admission(claims, yield* makeSettling()(claims), yield* settings.get)
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
