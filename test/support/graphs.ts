/** Random graphs of tasks, and what they come to by the policies alone. */
import * as FastCheck from "effect/FastCheck"
import type { DependencyPolicy } from "../../src/domain/task/Task.ts"

export interface Node {
  readonly edges: ReadonlyArray<{ readonly to: number; readonly policy: DependencyPolicy }>
  readonly ending: "completed" | "failed" | "cancelled"
  /** Stored after this many ends of others. */
  readonly late: number
}

/** Each node waits for earlier ones only. */
export const anyGraph: FastCheck.Arbitrary<ReadonlyArray<Node>> = FastCheck.array(
  FastCheck.record({
    edges: FastCheck.array(
      FastCheck.record({
        to: FastCheck.nat(1000),
        policy: FastCheck.constantFrom<DependencyPolicy>("success", "success", "finished", "failure")
      }),
      { maxLength: 4 }
    ),
    ending: FastCheck.constantFrom<Node["ending"]>("completed", "completed", "failed", "cancelled"),
    late: FastCheck.nat(3)
  }),
  { minLength: 1, maxLength: 14 }
).map((nodes) =>
  nodes.map((node, index) => {
    const byUpstream = new Map(
      index === 0 ? [] : node.edges.map(({ policy, to }) => [to % index, { to: to % index, policy }])
    )
    return { ...node, edges: Array.from(byUpstream.values()) }
  })
)

/** What a graph comes to, worked out from the ends alone. */
export const expected = (
  graph: ReadonlyArray<Node>
): ReadonlyArray<"completed" | "failed" | "cancelled" | "doomed"> => {
  const ends: Array<"completed" | "failed" | "cancelled" | "doomed"> = []
  for (const { edges, ending } of graph) {
    const runs = edges.every(({ policy, to }) => {
      const end = ends[to]
      if (policy === "finished") return true
      return policy === "success" ? end === "completed" : end === "failed" || end === "doomed"
    })
    ends.push(runs ? ending : "doomed")
  }
  return ends
}
