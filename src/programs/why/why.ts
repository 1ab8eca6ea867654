/** Names the one thing that a task waits for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { loopHolding } from "../../domain/gates/loopHolding.ts"
import type { Kind } from "../../domain/OtherKind.ts"
import { isTerminal, type TaskId, type TaskSummary } from "../../domain/task/Task.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Questions } from "../../services/Questions.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { holdView } from "../budgets/BudgetView.ts"
import { silenceOf } from "../reports/silenceOf.ts"
import { neglected, rescue } from "../serving/Neglect.ts"
import { hasWorker, seenWorkers } from "../serving/Seen.ts"
import { admission, makeSettling } from "../worker/admission.ts"
import { isCut } from "./isCut.ts"
import type { Why, WhyOf } from "./WhyAnswer.ts"

/** Makes the answers about one task. */
const answersFor =
  ({ id, status }: Pick<TaskSummary, "id" | "status">) =>
  <Reason extends Why["reason"]>(reason: Reason, data: Omit<WhyOf<Reason>, "taskId" | "status" | "reason">): Why =>
    ({ taskId: id, status, reason, ...data }) as WhyOf<Reason>

type Answer = ReturnType<typeof answersFor>

/** The answer for an agent that has not been started yet: there is no output to report. */
const starting = (id: TaskId, answer: Answer) =>
  Effect.flatMap(WorkerRegistry, (registry) => registry.startProblem(id)).pipe(
    Effect.map(
      Option.match({
        onNone: () => answer("starting", {}),
        onSome: ({ count, message }) => answer("starting-fails", { error: message, tries: count })
      })
    )
  )

const asking = (id: TaskId, answer: Answer, silentMs: number | null) =>
  Effect.gen(function* () {
    const asked = yield* (yield* Questions).ofTask(id)
    const open = asked.find(({ state }) => state === "open")
    const question = open === undefined ? null : { id: open.id, text: open.text, options: open.options }
    return answer("asks", { question, silentMs })
  })

const whyRunning = Effect.fnUntraced(function* (task: TaskSummary, answer: Answer) {
  const registry = yield* WorkerRegistry
  const { id } = task
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
    return (yield* isCut(task)) ? answer("workspace-cut", {}) : yield* starting(id, answer)
  }
  const silentMs = yield* silenceOf(task)
  if (cause === null && task.frozenAt !== null) {
    const gate = (yield* (yield* Gates).list).find(({ name, scope }) => scope === "task" && name === id)
    return answer("frozen", { gate: gate ?? null, silentMs })
  }
  if (cause === null && task.asks > 0) return yield* asking(id, answer, silentMs)
  return cause === null ? answer("running", { silentMs }) : answer("ending", { cause, silentMs })
})

/** Of what a task waits for. */
const kindOf = Effect.fnUntraced(function* (id: TaskId) {
  const task: Kind = "task"
  return yield* (yield* Tasks).resolve(id).pipe(
    Effect.as(task),
    Effect.catchTag("TaskNotFound", ({ other }) => Effect.succeed(other?.kind ?? task))
  )
})

const whyQueued = Effect.fnUntraced(function* (task: TaskSummary, answer: Answer) {
  const tasks = yield* Tasks
  const registry = yield* WorkerRegistry
  const { id } = task
  const now = yield* Clock.currentTimeMillis
  if (task.waitingOn > 0) {
    const { dependsOn } = yield* tasks.get(id)
    const pending = dependsOn.filter(({ state }) => state === "pending")
    const blockedBy = pending[0]?.taskId ?? null
    // Only between two turns does a task wait for anything but tasks.
    const blockedByKind = blockedBy === null ? null : task.wakes === 0 ? "task" : yield* kindOf(blockedBy)
    return answer("blocked", { waitingOn: pending.length, blockedBy, blockedByKind })
  }
  if (task.notBefore !== null && task.notBefore > now) {
    const before = task.retryOf === null ? null : yield* Effect.option(tasks.summary(task.retryOf))
    const failureBefore = before === null ? null : Option.getOrNull(Option.map(before, (one) => one.failureClass))
    return answer("not-before", { notBefore: task.notBefore, failureBefore })
  }

  if (task.asks > 0) return yield* asking(id, answer, null)

  const ahead = Option.getOrElse(yield* tasks.ahead(id), () => 0)
  const hold = Option.getOrNull(yield* (yield* Gates).holding(id))
  if (hold !== null) {
    const loop = "gate" in hold ? loopHolding(hold.gate) : null
    if (loop !== null) return answer("loop", { loop })
    return "gate" in hold ? answer("paused", { ahead, gate: hold.gate }) : answer("group-limit", { ahead, ...hold })
  }
  const limit = yield* tasks.limitWait(id)
  if (Option.isSome(limit)) return answer("limit", { ahead, ...limit.value })
  const place = yield* tasks.placeWait(id)
  if (Option.isSome(place)) return answer("account-places", { ahead, ...place.value })
  const budget = Option.getOrNull(yield* (yield* Budgets).holds(id))
  if (budget !== null) return answer("budget", { ahead, budget: holdView(budget), opensAt: budget.budget.to })
  const full = task.goalId === null ? Option.none() : yield* tasks.goalWait(id)
  if (Option.isSome(full)) return answer("goal-limit", { ahead, ...full.value })
  if (!(yield* hasWorker())) return answer("no-worker", { ahead })

  const settings = yield* (yield* SettingsStore).get
  if (task.workspaceId !== null) {
    const workspaces = yield* Workspaces
    const cut = yield* workspaces.waitOf(id)
    if (cut !== null && cut.by !== null) return answer("workspace", { ahead, blockedBy: cut.by })
    const { workspaceMaxBytes } = settings
    const workspaceBytes = (yield* workspaces.held).bytes
    if (cut?.state === "planned" && workspaceMaxBytes !== null && workspaceBytes >= workspaceMaxBytes)
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
    ? yield* starting(id, answer)
    : answer("elsewhere", { ahead, workerPid: away.worker.process.pid })
})

export const why = Effect.fn("why")(function* (reference: string) {
  const tasks = yield* Tasks
  const task = yield* tasks.summary(yield* tasks.resolve(reference))
  const answer = answersFor(task)
  if (isTerminal(task.status)) {
    const { cause, error, retriedBy } = task
    return answer("ended", { cause, error, retriedBy })
  }
  return yield* task.status === "running" ? whyRunning(task, answer) : whyQueued(task, answer)
})
