/** Gates and groups on the in-memory state. */
import { type Gated, type Group, type Hold, holdOf } from "../../../domain/gates/Gate.ts"
import type { GroupName } from "../../../domain/gates/GroupName.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import type { State } from "./Store.ts"

export const groupIn = (state: State, name: GroupName): Group => {
  const tasks = Array.from(state.tasks.values(), ({ task }) => task).filter(({ group }) => group === name)
  return {
    name,
    limit: state.groups.get(name) ?? null,
    running: tasks.filter(({ id }) => state.claims.has(id)).length,
    waiting: tasks.filter(({ status }) => status === "queued").length
  }
}

export const groupsIn = (state: State): ReadonlyArray<Group> =>
  Array.from(state.groups.keys())
    .sort()
    .map((name) => groupIn(state, name))

/** What keeps a task from being claimed, apart from limits of accounts and dependencies. */
export const holdIn = (state: State, task: Gated, now: number): Hold | null =>
  holdOf(task, state.gates, task.group === null ? null : groupIn(state, task.group), now)

/** The pause of a task ends with the task. If the task is retried, its next attempt is paused. */
export const withoutTaskGate = (state: State, id: TaskId, retriedBy: TaskId | null): State => ({
  ...state,
  gates: state.gates.flatMap((gate) =>
    gate.scope !== "task" || gate.name !== id ? [gate] : retriedBy === null ? [] : [{ ...gate, name: retriedBy }]
  )
})
