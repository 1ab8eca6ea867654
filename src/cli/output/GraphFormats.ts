/** A graph of tasks in the formats of graph-drawing programs. */
import * as Graph from "effect/Graph"
import type { TaskEdge, TaskGraph, TaskNode } from "../../domain/task/TaskGraph.ts"
import { standingOf } from "./GraphText.ts"
import { plain } from "./TaskTable.ts"

const longestTitle = 60

const built = ({ edges, nodes }: TaskGraph) =>
  Graph.directed<TaskNode, TaskEdge>((mutable) => {
    const places = new Map(nodes.map((node) => [node.id, Graph.addNode(mutable, node)]))
    for (const edge of edges) {
      const from = places.get(edge.from)
      const to = places.get(edge.to)
      if (from !== undefined && to !== undefined) Graph.addEdge(mutable, from, to, edge)
    }
  })

const nodeLabel = (node: TaskNode): string => {
  const title = Array.from(plain(node.title))
  const short = title.length > longestTitle ? `${title.slice(0, longestTitle - 1).join("")}…` : title.join("")
  return `${node.id} ${standingOf(node)}, ${plain(node.agent)}: ${short}`
}

const edgeLabel = ({ policy }: TaskEdge): string => (policy === "success" ? "" : policy)

/** A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html). */
export const mermaid = (graph: TaskGraph): string => Graph.toMermaid(built(graph), { nodeLabel, edgeLabel })

/** DOT, the language of Graphviz (https://graphviz.org/doc/info/lang.html). The library escapes quotes only. */
export const dot = (graph: TaskGraph): string =>
  Graph.toGraphViz(built(graph), {
    graphName: "tasks",
    nodeLabel: (node) => nodeLabel(node).replaceAll("\\", "\\\\"),
    edgeLabel
  })
