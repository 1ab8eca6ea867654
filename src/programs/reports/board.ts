/** What runs, waits and has ended, for a screen that shows all of it: each waiting task with its reason. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Gate } from "../../domain/gates/Gate.ts"
import { AccountLimits, keepsTasks } from "../../domain/limits/AccountLimits.ts"
import { TaskId, type TaskStatus, TaskSummary } from "../../domain/task/Task.ts"
import { Gates } from "../../services/Gates.ts"
import { Limits } from "../../services/Limits.ts"
import { type ListFilter, Tasks } from "../../services/Tasks.ts"
import { WhyReason } from "../why/WhyAnswer.ts"
import { waitsFor } from "../why/waitsFor.ts"
import { why } from "../why/why.ts"
import { Overview } from "./overview.ts"
import { silenceOf } from "./silenceOf.ts"
import { startingOf } from "./taskPage.ts"
import { workers } from "./workers.ts"

/** Tasks in one column. */
const shownTasks = 50

/** How many waiting tasks have their reason looked up; the others are known to wait after these. */
const explainedTasks = 25

const RunningTask = Schema.Struct({
  ...TaskSummary.fields,
  /** Milliseconds without output. */
  silentMs: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "BoardRunning" })

const WaitingTask = Schema.Struct({
  ...TaskSummary.fields,
  /** Null: not looked up. */
  reason: Schema.NullOr(WhyReason),
  /** What it waits for, in words; null if for nothing, or if it was not looked up. */
  waitsFor: Schema.NullOr(Schema.String)
}).annotations({ identifier: "BoardWaiting" })

export const Board = Schema.Struct({
  /** Counts of all tasks, whatever the filter. */
  counts: Overview.fields.counts,
  /** The newest 50 of each that match. */
  running: Schema.Array(RunningTask),
  /** Those of them whose agent has not started. */
  starting: Schema.Array(TaskId),
  waiting: Schema.Array(WaitingTask),
  ended: Schema.Array(TaskSummary),
  /** How many more match in each column, counted up to 1000. */
  more: Schema.Struct({ running: Schema.Int, waiting: Schema.Int, ended: Schema.Int }),
  gates: Schema.Array(Gate),
  /** The accounts that are closed by a limit. */
  limits: Schema.Array(AccountLimits),
  /** Workers that serve the queue. */
  workers: Schema.Int
}).annotations({ identifier: "Board" })
export type Board = typeof Board.Type

export type BoardFilter = Pick<ListFilter, "agent" | "labels" | "directory" | "since">

export const board = Effect.fn("board")(function* (filter: BoardFilter) {
  const tasks = yield* Tasks
  const now = yield* Clock.currentTimeMillis
  const page = (status: ReadonlyArray<TaskStatus>) =>
    tasks.list({ ...filter, status, parentId: null, limit: shownTasks, before: null })
  const running = yield* page(["running"])
  const queued = yield* page(["queued"])
  const ended = yield* page(["completed", "failed", "cancelled"])
  const explain = (task: TaskSummary, at: number) =>
    at >= explainedTasks
      ? Effect.succeed({ ...task, reason: null, waitsFor: null })
      : why(task.id).pipe(
          Effect.map((found) => ({ ...task, reason: found.reason, waitsFor: waitsFor(found, now) })),
          // Pruned in the meantime.
          Effect.catchTags({
            TaskNotFound: () => Effect.succeed({ ...task, reason: null, waitsFor: null }),
            AmbiguousReference: () => Effect.succeed({ ...task, reason: null, waitsFor: null })
          })
        )
  const found = yield* workers()
  const result: Board = {
    counts: yield* tasks.counts,
    running: yield* Effect.forEach(running.tasks, (task) =>
      Effect.map(silenceOf(task), (silentMs) => ({ ...task, silentMs }))
    ),
    starting: yield* startingOf(running.tasks),
    waiting: yield* Effect.forEach(queued.tasks, explain),
    ended: ended.tasks,
    more: { running: running.more, waiting: queued.more, ended: ended.more },
    gates: yield* (yield* Gates).list,
    limits: (yield* (yield* Limits).list).filter(keepsTasks),
    workers: found.filter(({ serving }) => serving === "serves").length
  }
  return result
})
