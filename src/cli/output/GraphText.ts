/** A graph of tasks as a tree of lines: each task once in full, under the first task that it waits for. */
import type { DependencyPolicy, TaskId } from "../../domain/task/Task.ts"
import type { TaskEdge, TaskGraph, TaskNode } from "../../domain/task/TaskGraph.ts"
import { shortSpan } from "../../text/FormatDuration.ts"
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { cut, widthOf } from "./Layout.ts"
import { plain, statusStyle } from "./TaskTable.ts"

const policyWords: Readonly<Record<DependencyPolicy, string>> = {
  success: "",
  finished: "either way: ",
  failure: "if it fails: "
}

/** How long the task has waited, has run, or took. */
const spanOf = ({ createdAt, endedAt, startedAt }: TaskNode, now: number): string =>
  shortSpan((endedAt ?? now) - (startedAt ?? createdAt))

/** The status in words; a task that was never needed is not called cancelled. */
const standingOf = ({ cause, status, waitingOn }: TaskNode): string => {
  if (cause === "dependency-failed") return "not started"
  return status === "queued" && waitingOn > 0 ? "blocked" : status
}

const longestTitle = 60

/** One task in one line, for programs that draw graphs. */
export const nodeLabel = (node: TaskNode): string => {
  const title = Array.from(plain(node.title))
  const short = title.length > longestTitle ? `${title.slice(0, longestTitle - 1).join("")}…` : title.join("")
  return `${node.id} ${standingOf(node)}, ${plain(node.agent)}: ${short}`
}

/** Columns that remain for the task itself. */
const taskColumns = 32

/** The end of the lines that lead to a task: a deep chain of tasks must not push the task off the screen. */
const within = (lead: string, columns: number | null): string => {
  const room = columns === null ? lead.length : Math.max(4, columns - taskColumns)
  return lead.length <= room ? lead : `…${lead.slice(1 - room)}`
}

interface Layout {
  readonly nodes: ReadonlyMap<TaskId, TaskNode>
  readonly upstream: ReadonlyMap<TaskId, ReadonlyArray<TaskEdge>>
  readonly downstream: ReadonlyMap<TaskId, ReadonlyArray<TaskEdge>>
}

const groupBy = (edges: ReadonlyArray<TaskEdge>, end: "from" | "to"): ReadonlyMap<TaskId, ReadonlyArray<TaskEdge>> => {
  const groups = new Map<TaskId, Array<TaskEdge>>()
  for (const edge of edges) groups.set(edge[end], [...(groups.get(edge[end]) ?? []), edge])
  return groups
}

const layoutOf = ({ edges, nodes }: TaskGraph): Layout => {
  const order = new Map(nodes.map(({ id }, at) => [id, at]))
  const sorted = Array.from(edges).sort((left, right) => (order.get(left.to) ?? -1) - (order.get(right.to) ?? -1))
  return {
    nodes: new Map(nodes.map((node) => [node.id, node])),
    upstream: groupBy(sorted, "to"),
    downstream: groupBy(sorted, "from")
  }
}

export const graphText = (graph: TaskGraph, now: number, screen: Screen): ReadonlyArray<string> => {
  const { downstream, nodes, upstream } = layoutOf(graph)
  const { bold, dim } = stylesOf(screen)
  const lines: Array<string> = []
  const drawn = new Set<TaskId>()

  const line = (id: TaskId, lead: string, policy: DependencyPolicy): void => {
    const node = nodes.get(id)
    const words = policyWords[policy]
    if (node === undefined) {
      lines.push(`${dim(lead)}${words}${id} ${dim("(pruned)")}`)
      return
    }
    const place = within(lead, screen.columns)
    const others = (upstream.get(id) ?? []).length - 1
    const again = drawn.has(id) ? " (see above)" : others > 0 ? ` (waits for ${others + 1})` : ""
    const standing = standingOf(node)
    const start = `${place}${words}${id} ${standing} ${spanOf(node, now)} ${plain(node.agent)}${again} `
    const room = screen.columns === null ? 200 : screen.columns - widthOf(start)
    const title = drawn.has(id) || room < 8 ? "" : cut(plain(node.title), room)
    const status = statusStyle(node.status, screen)(standing)
    const tail = `${spanOf(node, now)} ${plain(node.agent)}${dim(again)} ${title}`
    lines.push(`${dim(place)}${dim(words)}${bold(id)} ${status} ${tail}`.trimEnd())
  }

  const draw = (id: TaskId, lead: string, indent: string, policy: DependencyPolicy): void => {
    line(id, lead, policy)
    if (drawn.has(id)) return
    drawn.add(id)
    const below = downstream.get(id) ?? []
    for (const [at, edge] of below.entries()) {
      const last = at === below.length - 1
      draw(edge.to, `${indent}${last ? "└─ " : "├─ "}`, `${indent}${last ? "   " : "│  "}`, edge.policy)
    }
  }

  const tops = [
    ...Array.from(downstream.keys()).filter((id) => !nodes.has(id)),
    ...graph.nodes.map(({ id }) => id).filter((id) => (upstream.get(id) ?? []).length === 0)
  ]
  for (const id of tops) draw(id, "", "", "success")
  // The remaining tasks depend only on tasks that are not shown.
  for (const { id } of graph.nodes) if (!drawn.has(id)) draw(id, "", "", "success")
  return lines
}
