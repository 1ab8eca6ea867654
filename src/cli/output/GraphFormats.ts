/** A graph of tasks in the formats of graph-drawing programs. In a file apart: the library that writes them is needed for nothing else. */
import * as Graph from "effect/Graph"
import type { TaskEdge, TaskGraph, TaskNode } from "../../domain/task/TaskGraph.ts"

/** The text for a task. */
type NodeLabel = (node: TaskNode) => string

const built = ({ edges, nodes }: TaskGraph) =>
  Graph.directed<TaskNode, TaskEdge>((mutable) => {
    const places = new Map(nodes.map((node) => [node.id, Graph.addNode(mutable, node)]))
    for (const edge of edges) {
      const from = places.get(edge.from)
      const to = places.get(edge.to)
      if (from !== undefined && to !== undefined) Graph.addEdge(mutable, from, to, edge)
    }
  })

const edgeLabel = ({ policy }: TaskEdge): string => (policy === "success" ? "" : policy)

/** A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html). */
export const mermaid = (graph: TaskGraph, nodeLabel: NodeLabel): string =>
  Graph.toMermaid(built(graph), { nodeLabel, edgeLabel })

/** DOT, the language of Graphviz (https://graphviz.org/doc/info/lang.html). The library escapes quotes only. */
export const dot = (graph: TaskGraph, nodeLabel: NodeLabel): string =>
  Graph.toGraphViz(built(graph), {
    graphName: "tasks",
    nodeLabel: (node) => nodeLabel(node).replaceAll("\\", "\\\\"),
    edgeLabel
  })
