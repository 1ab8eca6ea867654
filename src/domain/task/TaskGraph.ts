/** Tasks and what they wait for, as one picture. */
import * as Schema from "effect/Schema"
import { DependencyPolicy, DependencyState, TaskId, TaskSummary } from "./Task.ts"

/** `to` waits for `from`. */
export const TaskEdge = Schema.Struct({
  from: TaskId,
  to: TaskId,
  policy: DependencyPolicy,
  state: DependencyState
}).annotations({ identifier: "TaskEdge" })
export type TaskEdge = typeof TaskEdge.Type

export const TaskNode = TaskSummary.pick(
  "id",
  "title",
  "status",
  "cause",
  "agent",
  "createdAt",
  "startedAt",
  "endedAt",
  "waitingOn",
  "pipelineId"
).annotations({ identifier: "TaskNode" })
export type TaskNode = typeof TaskNode.Type

export const TaskGraph = Schema.Struct({
  /** In order of arrival. */
  nodes: Schema.Array(TaskNode),
  /** An edge may lead to a task that was pruned and is no longer a node. */
  edges: Schema.Array(TaskEdge),
  /** There is more than is shown. */
  truncated: Schema.Boolean
}).annotations({ identifier: "TaskGraph" })
export type TaskGraph = typeof TaskGraph.Type
