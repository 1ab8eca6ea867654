/**
 * Cancels tasks, alone or with everything they delegated, and returns when their processes are gone. A task that is queued ends
 * here (layers/sql/queue/cancel.ts); the worker of a running one stops its processes and ends it (programs/worker/TaskLife.ts).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { type CancelAnswer, Queue } from "../../services/Queue.ts"
import { type ListPage, Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { wakingStopped } from "../serving/wakingStopped.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"
import { latestAttempt } from "./latestAttempt.ts"
import { waitFor } from "./waitFor.ts"

export interface CancelOptions extends EnsureWorkerOptions {
  /** Everything that the tasks' agents delegated, and what that delegated. */
  readonly tree: boolean
  readonly reason: string | null
  readonly by: string
}

export const Cancelled = Schema.Struct({
  /** `ended`: was queued. `requested`: was running. `over`: had ended before. */
  answer: Schema.Literal("ended", "requested", "over"),
  /** The task after the cancel; a task that ended on its own before the cancel is not cancelled. */
  task: TaskSummary
})
export type Cancelled = typeof Cancelled.Type

export const CancelResult = Schema.Struct({
  tasks: Schema.Array(Cancelled),
  /** The tree is larger than the bound; the rest was not touched. */
  truncated: Schema.Boolean
}).annotations({ identifier: "CancelResult" })
export type CancelResult = typeof CancelResult.Type

/** Tasks in one tree at most. */
const treeLimit = 10_000

/** What `Tasks.children` and a page of `Tasks.list` hold at most. */
const pageSize = 1000

const childrenOf = Effect.fn("childrenOf")(function* (parentId: TaskId) {
  const tasks = yield* Tasks
  const first = yield* tasks.children(parentId)
  if (first.length < pageSize) return first
  const all = new Set(first)
  let before: number | null = null
  do {
    const page: ListPage = yield* tasks.list({
      status: [],
      agent: null,
      labels: {},
      directory: null,
      parentId,
      since: null,
      limit: pageSize,
      before
    })
    for (const { id } of page.tasks) all.add(id)
    before = page.more === 0 ? null : (page.tasks.at(-1)?.seq ?? null)
  } while (before !== null && all.size <= treeLimit)
  return Array.from(all)
})

/**
 * `roots` and the tasks below them, parents before children, and whether there are more than the bound. What an
 * automatic retry delegated is also below the task that it retries.
 */
export const descendants = Effect.fn("descendants")(function* (roots: ReadonlyArray<TaskId>) {
  const tasks = yield* Tasks
  const found = new Set<TaskId>(roots)
  for (const id of found) {
    const { retriedBy } = yield* tasks.summary(id)
    if (retriedBy !== null) found.add(retriedBy)
    for (const child of yield* childrenOf(id)) found.add(child)
    if (found.size > treeLimit) return { ids: Array.from(found).slice(0, treeLimit), truncated: true }
  }
  return { ids: Array.from(found), truncated: false }
})

/** Cancels the latest attempt: the work has to stop, also when an attempt has failed and the next one waits. */
export const cancelWork = Effect.fn("cancelWork")(function* (
  id: TaskId,
  { by, reason }: Pick<CancelOptions, "by" | "reason">
) {
  const queue = yield* Queue
  const tasks = yield* Tasks
  let answer: CancelAnswer = yield* queue.cancel(id, { reason, by })
  let next = answer === "over" ? (yield* tasks.summary(id)).retriedBy : null
  while (next !== null) {
    answer = yield* queue.cancel(next, { reason, by })
    next = answer === "over" ? (yield* tasks.summary(next)).retriedBy : null
  }
  return answer
})

/** Asks for all of them first and then waits, so that they end side by side. */
export const cancel = Effect.fn("cancel")(function* (roots: ReadonlyArray<TaskId>, options: CancelOptions) {
  const answers = new Map<TaskId, CancelAnswer>()
  let ids = Array.from(new Set(roots))
  let truncated = false

  // An agent may delegate once more before it is gone. Once a round finds nothing new, no parent is left that could.
  while (true) {
    if (options.tree) {
      const tree = yield* retryWhileBusy(descendants(ids))
      ids = tree.ids
      truncated = tree.truncated
    }
    const fresh = ids.filter((id) => !answers.has(id))
    if (fresh.length === 0) break
    for (const id of fresh) {
      answers.set(id, yield* retryWhileBusy(cancelWork(id, options)))
    }
    yield* waitFor(fresh, { ...options, goal: "end", any: false }).pipe(wakingStopped)
    if (!options.tree || truncated) break
  }

  // Several attempts at the same work have one end; the answer of the first id that was asked says what the cancel did.
  const ended = new Map<TaskId, Cancelled>()
  for (const id of ids) {
    const task = yield* retryWhileBusy(latestAttempt(id))
    if (!ended.has(task.id)) ended.set(task.id, { answer: answers.get(id) ?? "over", task })
  }
  const result: CancelResult = { tasks: Array.from(ended.values()), truncated }
  return result
})
