/**
 * What the spans of work that has ended are made of: no prompt, no title, no path and nothing of an environment. One statement gives
 * it as a document, whose types are those of the columns: that takes no schema, which the light bundle would pay for.
 */
import type { TaskSummary } from "../task/Task.ts"
import type { TracedTask } from "./TraceContext.ts"

export interface ClaimFacts {
  readonly id: string
  readonly at: number
  readonly releasedAt: number | null
  /** Null: the task ended in it. */
  readonly released: "requeued" | "parked" | null
  /** Of the usage limit or the budget that parked it; null: another reason. */
  readonly window: string | null
  readonly resetsAt: number | null
  /** 1: it waited for tasks that it had delegated. */
  readonly wakes: 0 | 1
}

type Own =
  | "agent"
  | "model"
  | "status"
  | "cause"
  | "exitCode"
  | "signal"
  | "failureClass"
  | "attempt"
  | "parentId"
  | "group"
  | "createdAt"

export interface TaskFacts extends TracedTask, Pick<TaskSummary, Own> {
  readonly endedAt: number
  /** JSON, as stored. */
  readonly labels: string
  readonly usage: string | null
  /** In their order. */
  readonly claims: ReadonlyArray<ClaimFacts>
  /** Questions to a person, and their answers. */
  readonly events: ReadonlyArray<{ readonly name: "asks" | "answered"; readonly at: number }>
  /** The task that it retries, and the tasks that it followed. */
  readonly links: ReadonlyArray<TracedTask>
}

/** A pipeline, a loop, a contest or a merge. */
export interface WorkFacts {
  readonly id: string
  readonly createdAt: number
  /** One of its tasks; of a merge, the task whose work it is. */
  readonly task: TracedTask
}
