/** The tasks that hang together: around one of them, or all that somebody waits for. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../domain/Task.ts"
import type { TaskEdge, TaskGraph } from "../domain/TaskGraph.ts"
import { Tasks } from "../services/Tasks.ts"
import { latestTry } from "./latestTry.ts"

/** Tasks and edges that one picture holds at most. */
export const graphLimit = { nodes: 500, edges: 5000 } as const

const keyOf = ({ from, to }: TaskEdge): string => `${from} ${to}`

/**
 * Everything that a task is connected with, in both directions. What waited for one that was retried by itself hangs on
 * its last try.
 */
const around = Effect.fn("graph.around")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const known = new Set<TaskId>([id, (yield* latestTry(id)).id])
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

export const graph = Effect.fn("graph")(function* (id: TaskId | null) {
  const tasks = yield* Tasks
  const found = id === null ? yield* waiting() : yield* around(id)
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
