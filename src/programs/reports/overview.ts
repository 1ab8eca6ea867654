/** The state of everything at a glance: what runs, what waits, what ended last. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Gate } from "../../domain/gates/Gate.ts"
import { AccountLimits, keepsTasks } from "../../domain/limits/AccountLimits.ts"
import { Question } from "../../domain/questions/Question.ts"
import { type TaskStatus, TaskSummary, Timestamp } from "../../domain/task/Task.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Limits } from "../../services/Limits.ts"
import { Questions } from "../../services/Questions.ts"
import { type ListFilter, Tasks } from "../../services/Tasks.ts"
import { HoldView, holdView } from "../budgets/BudgetView.ts"
import { silenceOf } from "./silenceOf.ts"
import { WorkerView, workers } from "./workers.ts"

const RunningTask = Schema.Struct({
  ...TaskSummary.fields,
  /** Milliseconds without output. */
  silentMs: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "RunningTask" })

export const Overview = Schema.Struct({
  counts: Schema.Struct({
    queued: Schema.Int,
    running: Schema.Int,
    completed: Schema.Int,
    failed: Schema.Int,
    cancelled: Schema.Int
  }),
  /** The newest 20. */
  running: Schema.Array(RunningTask),
  /** The newest 5. */
  queued: Schema.Array(TaskSummary),
  /** The newest 5 that are over. */
  ended: Schema.Array(TaskSummary),
  /** When the next task that waits for a time may start. */
  nextDue: Schema.NullOr(Timestamp),
  /** The accounts that are closed by a limit, with the tasks that wait for them. */
  limits: Schema.Array(AccountLimits),
  /** Whether all that is queued waits for answers of a person. */
  awaitsAnswers: Schema.Boolean,
  /** What agents ask a person, oldest first, at most 200. */
  questions: Schema.Array(Question),
  /** The budgets that keep tasks from starting. */
  budgets: Schema.Array(HoldView),
  /** What is paused. */
  gates: Schema.Array(Gate),
  workers: Schema.Array(WorkerView)
}).annotations({ identifier: "Overview" })
export type Overview = typeof Overview.Type

const newest = (status: ReadonlyArray<TaskStatus>, limit: number): ListFilter => ({
  status,
  agent: null,
  labels: {},
  directory: null,
  parentId: null,
  since: null,
  limit,
  before: null
})

export const overview = Effect.fn("overview")(function* () {
  const tasks = yield* Tasks
  const now = yield* Clock.currentTimeMillis
  const counts = yield* tasks.counts
  /** No question where the answer is known: mostly nothing runs and nothing waits. */
  const some = (status: ReadonlyArray<TaskStatus>, limit: number) =>
    status.every((one) => counts[one] === 0)
      ? Effect.succeed<ReadonlyArray<TaskSummary>>([])
      : Effect.map(tasks.list(newest(status, limit)), (page) => page.tasks)
  const running = yield* some(["running"], 20)
  const queued = yield* some(["queued"], 5)
  const ended = yield* some(["completed", "failed", "cancelled"], 5)
  const result: Overview = {
    counts,
    running: yield* Effect.forEach(running, (task) =>
      Effect.map(silenceOf(task), (silentMs) => ({ ...task, silentMs }))
    ),
    queued,
    ended,
    nextDue: Option.getOrNull(yield* tasks.nextDue(now)),
    limits: counts.queued === 0 ? [] : (yield* (yield* Limits).list).filter(keepsTasks),
    awaitsAnswers: counts.queued > 0 && (yield* tasks.awaitAnswers),
    questions: counts.queued + counts.running === 0 ? [] : yield* (yield* Questions).open,
    budgets: counts.queued === 0 ? [] : (yield* (yield* Budgets).holding).map(holdView),
    gates: yield* (yield* Gates).list,
    workers: yield* workers()
  }
  return result
})
