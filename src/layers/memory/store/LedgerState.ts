/** The ledger in memory: what each run used, and the counts of sessions. */
import { costOf, noCost } from "../../../domain/budgets/Spend.ts"
import type { Task } from "../../../domain/task/Task.ts"
import { asReported, type Spending, usedIn } from "../../../domain/usage/ModelUse.ts"
import { added, noTotal, raised, totalOf } from "../../../domain/usage/SessionTotals.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import { settled } from "./BudgetState.ts"
import { type LedgerEntry, put, type State, without } from "./Store.ts"

/** The state after a run is counted. */
export const recorded = (
  state: State,
  task: Task,
  { claimId, claimedAt }: Claim,
  spending: Spending | null,
  now: number
): State => {
  const live = state.live.get(task.id)
  if (spending === null && (live?.uses ?? []).length === 0) return { ...state, live: without(state.live, task.id) }
  const { cumulative, sessionId, uses } = spending ?? asReported
  const told = usedIn({ cumulative, sessionId, uses }, live?.uses ?? [])
  const entries: Array<LedgerEntry> = []
  let totals = state.sessionTotals
  for (const [at, use] of told.entries()) {
    const key = JSON.stringify([task.agent, sessionId, use.model])
    const counts = cumulative && sessionId !== null
    const run = counts ? added(use, totals.get(key) ?? noTotal) : use
    const waits = (state.parks.get(task.id) ?? []).filter(({ releasedAt }) => releasedAt === claimedAt)
    const parkedMs = at > 0 ? 0 : Math.max(0, ...waits.map((park) => claimedAt - park.at))
    entries.push({ ...run, claimId, at: now, task, parkedMs })
    if (counts) totals = put(totals, key, totalOf(use))
    // A run that was ended before its agent told a total is in the next total of its session.
    else if (told !== uses && sessionId !== null) {
      totals = put(totals, key, raised(totals.get(key) ?? noTotal, use))
    }
  }
  const next = {
    ...state,
    live: without(state.live, task.id),
    ledger: [...state.ledger, ...entries],
    sessionTotals: totals
  }
  return settled(next, task, costOf(entries, live?.reserve ?? noCost), now)
}
