/** Connected tasks: those around some tasks, or all that wait or are waited for. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TaskEdge, TaskGraph } from "../../domain/task/TaskGraph.ts"
import { Tasks } from "../../services/Tasks.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"

/** Tasks and edges that one picture holds at most. */
export const graphLimit = { nodes: 500, edges: 5000 } as const

const keyOf = ({ from, to }: TaskEdge): string => `${from} ${to}`

/**
 * Everything connected with these tasks, in both directions. After an automatic retry, the dependents of a task point to
 * its latest attempt.
 */
const around = Effect.fn("graph.around")(function* (ids: ReadonlyArray<TaskId>) {
  const tasks = yield* Tasks
  const last = yield* Effect.forEach(ids, latestAttempt)
  const known = new Set<TaskId>([...ids, ...last.map(({ id }) => id)])
  const edges = new Map<string, TaskEdge>()
  let fresh: ReadonlyArray<TaskId> = Array.from(known)
  while (fresh.length > 0 && known.size <= graphLimit.nodes && edges.size <= graphLimit.edges) {
    const found = yield* tasks.edges(fresh, graphLimit.edges + 1)
    for (const edge of found) edges.set(keyOf(edge), edge)
    const next = new Set(found.flatMap(({ from, to }) => [from, to]).filter((other) => !known.has(other)))
    for (const other of next) known.add(other)
    fresh = Array.from(next)
  }
  return { ids: Array.from(known), edges: Array.from(edges.values()) }
})

/** Everything that waits, with what it waits for. */
const waiting = Effect.fn("graph.waiting")(function* () {
  const tasks = yield* Tasks
  const edges = yield* tasks.edges(null, graphLimit.edges + 1)
  return { ids: Array.from(new Set(edges.flatMap(({ from, to }) => [from, to]))), edges }
})

/** Around the tasks with these ids; null: all that waits. */
export const graph = Effect.fn("graph")(function* (ids: ReadonlyArray<TaskId> | null) {
  const tasks = yield* Tasks
  const found = ids === null ? yield* waiting() : yield* around(ids)
  const nodes = yield* tasks.nodes(found.ids.slice(0, graphLimit.nodes))
  const shown = new Set(found.ids.slice(0, graphLimit.nodes))
  const edges = found.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)).slice(0, graphLimit.edges)
  const picture: TaskGraph = {
    nodes,
    edges,
    truncated: found.ids.length > graphLimit.nodes || found.edges.length > graphLimit.edges
  }
  return picture
})
