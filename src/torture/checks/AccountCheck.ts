/** Looks at what the accounts and the budget of a torture run allow at one moment, and at what runs: from one statement each. */
import { cappedAmount, cappedBudget, cappedTokens } from "../load/LimitPlan.ts"
import type { Store } from "../Store.ts"

/** While an account is known to be closed, none of its tasks starts, and a row says why it is closed. */
export const closedInvariant = "a closed limit starts nothing"
/** One task asks whether a limit is over, and only its answer lets others follow. */
export const placesInvariant = "after a limit one task asks, and the others wait for its answer"
/** Tasks that start at the same moment cannot exceed a budget together. */
export const budgetInvariant = "a budget holds"

/** A claim, with what its account allows. */
interface PlacedClaim {
  readonly account: string
  readonly claimedAt: number
  readonly places: number
  readonly placesAt: number
  /** When the limit was met. */
  readonly placesSince: number
}

/** The number of places doubles this often, and has no bound from then on. */
const doublingMs = 20_000
const mostDoublings = 6

const placesAt = ({ places, placesAt: since }: PlacedClaim, at: number): number => {
  if (places === 1) return 1
  const doublings = Math.floor((at - since) / doublingMs)
  return doublings >= mostDoublings ? Number.POSITIVE_INFINITY : places * 2 ** doublings
}

/**
 * What was running when the limit was met takes no place. When the newest claim was made, all others that are held now were held
 * already.
 */
export const placesProblems = (claims: ReadonlyArray<PlacedClaim>): ReadonlyArray<string> =>
  Array.from(new Set(claims.map(({ account }) => account))).flatMap((account) => {
    const own = claims.filter((claim) => claim.account === account && claim.claimedAt >= claim.placesSince)
    if (own.length === 0) return []
    const newest = own.reduce((one, other) => (other.claimedAt > one.claimedAt ? other : one))
    if (newest.claimedAt < newest.placesAt) return []
    const most = placesAt(newest, newest.claimedAt)
    return own.length > most
      ? [`account ${account} has ${own.length} claims, the newest from when it had ${most} places`]
      : []
  })

/** A claim that counts against the budget, and what was spent of it when the newest one was made. */
interface CappedClaim {
  readonly claim: string
  readonly reserve: number
  readonly spent: number
}

export const budgetProblems = (claims: ReadonlyArray<CappedClaim>): ReadonlyArray<string> => {
  const reserved = claims.reduce((sum, { reserve }) => sum + reserve, 0)
  const spent = claims[0]?.spent ?? 0
  return [
    ...claims
      .filter(({ reserve }) => reserve < cappedTokens)
      .map(
        ({ claim, reserve }) => `claim ${claim} has reserved ${reserve} tokens, and one answer uses ${cappedTokens}`
      ),
    // The first task of a period always starts.
    ...(claims.length > 1 && spent + reserved > cappedAmount
      ? [`${claims.length} claims have reserved ${reserved} tokens when ${spent} of ${cappedAmount} were spent`]
      : [])
  ]
}

/** Lanes that wait for a time, and no window of their account says for what. A budget closes no lane: it has no time. */
export const strayLanes = (store: Pick<Store, "rows">): ReadonlyArray<string> =>
  store
    .rows<{ id: number }>(`
      SELECT id FROM lanes WHERE opens_at > 0 AND spare = 0 AND NOT EXISTS (
        SELECT 1 FROM windows WHERE windows.account = lanes.gate AND windows.name = lanes."window"
      )
    `)
    .map(({ id }) => `no row says why lane ${id} is closed`)

type Problem = readonly [invariant: string, detail: string]

/** `isRaised`: the budget has room for everything. `reserves` gets what each claim has reserved. */
export const accountProblems = (
  store: Store,
  isRaised: boolean,
  reserves: Map<string, number>
): ReadonlyArray<Problem> => {
  const placed = store.rows<PlacedClaim>(`
    SELECT claims.account, claims.claimed_at AS claimedAt, accounts.places, accounts.places_at AS placesAt,
      accounts.places_since AS placesSince
    FROM claims JOIN accounts ON accounts.key = claims.account WHERE accounts.places IS NOT NULL
  `)
  const capped = store.rows<CappedClaim>(
    `
    WITH held AS (
      SELECT claims.claim_id, claims.reserve_tokens, claims.claimed_at
      FROM claims JOIN tasks ON tasks.id = claims.task_id
      JOIN lane_budgets ON lane_budgets.lane = tasks.lane JOIN budgets ON budgets.id = lane_budgets.budget
      WHERE budgets.name = ?
    )
    SELECT claim_id AS claim, reserve_tokens AS reserve, coalesce((
      SELECT sum(input_tokens) FROM ledger JOIN json_each(ledger.labels) AS label
      WHERE label.key = 'payer' AND label.value = ? AND ledger.at < (SELECT max(claimed_at) FROM held)
    ), 0) AS spent
    FROM held
    `,
    cappedBudget.name,
    cappedBudget.name
  )
  for (const { claim, reserve } of capped) reserves.set(claim, reserve)
  return [
    ...strayLanes(store).map((detail): Problem => [closedInvariant, detail]),
    ...placesProblems(placed).map((detail): Problem => [placesInvariant, detail]),
    ...(isRaised ? [] : budgetProblems(capped).map((detail): Problem => [budgetInvariant, detail]))
  ]
}
