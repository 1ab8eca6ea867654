/** Compares what tasks waited for with how it ended: no task starts too early, and no task waits forever. */
import type { AskedEdge } from "../Chronicle.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"

export interface Edge {
  readonly upstream_id: string
  readonly policy: string
  readonly state: string
}

export const edgesOf = (store: Store, task: string): ReadonlyArray<Edge> =>
  store.rows<Edge>("SELECT upstream_id, policy, state FROM task_dependencies WHERE task_id = ?", task)

/** How an end answers a wait. */
const answerOf = (policy: string, upstream: TaskRow): string => {
  if (!ended(upstream)) return "pending"
  if (policy === "finished") return "met"
  const wanted =
    policy === "success"
      ? upstream.status === "completed"
      : upstream.status === "failed" || upstream.cause === "dependency-failed"
  return wanted ? "met" : "unmet"
}

type Report = (invariant: string, detail: string) => void

/** The ids of a task and of the attempts after it. */
const attemptsFrom = (id: string, byId: ReadonlyMap<string, TaskRow>): ReadonlyArray<string> => {
  const next = byId.get(id)?.retried_by
  return [id, ...(next === null || next === undefined ? [] : attemptsFrom(next, byId))]
}

/** A task continues from the task that its submitter named, or from a later attempt of it. */
export const checkContinued = (
  row: TaskRow,
  asked: string | undefined,
  byId: ReadonlyMap<string, TaskRow>,
  edges: ReadonlyArray<Edge>,
  report: Report
): void => {
  const invariant = "work continues from the task that was named"
  const before = row.retry_of === null ? undefined : byId.get(row.retry_of)
  // In its session an agent has it already.
  const wanted = before === undefined ? asked : row.continuation === "session" ? null : before.continue_from
  const known: ReadonlyArray<string | null> =
    wanted === undefined || wanted === null ? [null] : attemptsFrom(wanted, byId)
  if (!known.includes(row.continue_from)) {
    report(invariant, `it continues from ${row.continue_from}, asked for was ${wanted ?? "nothing"}`)
  }
  if (row.continue_from === null) return
  const attempts = attemptsFrom(row.continue_from, byId)
  if (!edges.some(({ upstream_id }) => attempts.includes(upstream_id))) {
    report(invariant, `it continues from ${row.continue_from} and does not wait for that`)
  }
}

/**
 * `asked` is what the submitter wanted: it applies to the first attempt only, because the others start immediately. `claims` are
 * the times of its claims, in order.
 */
export const checkEdges = (
  row: TaskRow,
  edges: ReadonlyArray<Edge>,
  asked: ReadonlyArray<AskedEdge>,
  byId: ReadonlyMap<string, TaskRow>,
  claims: ReadonlyArray<number>,
  report: Report
): void => {
  const invariant = "a task starts when it may"
  for (const { policy, upstream } of asked) {
    const attempts = attemptsFrom(upstream, byId)
    if (!edges.some((edge) => edge.policy === policy && attempts.includes(edge.upstream_id))) {
      report(invariant, `it was to wait for ${upstream} (${policy}), and no such edge is stored`)
    }
  }
  const claimed = claims[0]
  for (const { policy, state, upstream_id } of edges) {
    const upstream = byId.get(upstream_id)
    if (upstream === undefined) continue
    const named = `${upstream_id} (${policy}), which is ${upstream.status}`
    if (upstream.retried_by !== null) report(invariant, `it waits for ${named} and was tried again`)
    const answer = answerOf(policy, upstream)
    // The answer no longer matters to a task that was cancelled while it waited.
    if (state !== answer && row.cause !== "cancelled") report(invariant, `the edge to ${named} is ${state}`)
    if (claimed !== undefined) {
      if (answer !== "met") report(invariant, `it was claimed, and waited for ${named}`)
      else if (upstream.ended_at !== null && claimed < upstream.ended_at)
        report(invariant, `it was claimed before ${named}`)
    } else if (answer === "unmet" && row.cause !== "dependency-failed" && row.cause !== "cancelled") {
      report("what can never start is cancelled", `it waits for ${named}, and is ${row.status} (${row.cause})`)
    }
  }
  if (row.cause === "dependency-failed" && !edges.some(({ state }) => state === "unmet")) {
    report("what can never start is cancelled", "cancelled for a dependency, and none of them is unmet")
  }
  if (ended(row) && row.waiting_on !== 0) report(invariant, `it has ended and waits for ${row.waiting_on}`)
}
