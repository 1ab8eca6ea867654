/** What a run of an agent used of one model, and what that costs. */
import * as Schema from "effect/Schema"
import type { Usage } from "../task/Task.ts"
import { costMicro, type Rates } from "./Price.ts"
import { noTokens, TokenCounts } from "./TokenCounts.ts"

/** What an agent reports. The model is null where the agent does not name it, the cost where it reports none. */
export interface ModelUse extends TokenCounts {
  readonly model: string | null
  readonly costUsd: number | null
}

/**
 * Where a cost comes from. `unpriced`: the tokens are known, but no price of the model is. `unreported`: the agent reported no
 * numbers.
 */
const CostBy = Schema.Literal("reported", "estimated", "unpriced", "unreported")

/** Millionths of a US dollar: sums of them are exact. */
export const Micro = Schema.Int.pipe(Schema.nonNegative())

export const PricedUse = Schema.Struct({
  ...TokenCounts.fields,
  /** Empty: not known. */
  model: Schema.String,
  costMicro: Schema.NullOr(Micro),
  costBy: CostBy
}).pipe(
  Schema.filter(
    ({ costBy, costMicro }) => (costMicro === null) === (costBy === "unpriced" || costBy === "unreported"),
    {
      message: () => "a cost is known where its source is"
    }
  )
)
export type PricedUse = typeof PricedUse.Type

/** What one run of an agent used, as it counts. */
export const Spending = Schema.Struct({
  /** The session that cumulative counts belong to. */
  sessionId: Schema.NullOr(Schema.String),
  /** The agent counts over its session, earlier runs included. */
  cumulative: Schema.Boolean,
  uses: Schema.Array(PricedUse)
})
export type Spending = typeof Spending.Type

/** What an end tells that could not read what its run used: the numbers are those that the agent reported on the way. */
export const asReported: Spending = { sessionId: null, cumulative: false, uses: [] }

const whole = (count: number | null | undefined): number => {
  const rounded = Math.round(count ?? 0)
  return Number.isSafeInteger(rounded) && rounded > 0 ? rounded : 0
}

/** A use from counts as agents print them: what is missing or cannot be a count is 0. */
export const modelUse = (
  model: string | null | undefined,
  counts: { readonly [Key in keyof TokenCounts]?: number | null | undefined },
  costUsd: number | null | undefined = null
): ModelUse => ({
  model: model ?? null,
  inputTokens: whole(counts.inputTokens),
  outputTokens: whole(counts.outputTokens),
  cacheReadTokens: whole(counts.cacheReadTokens),
  cacheWriteTokens: whole(counts.cacheWriteTokens),
  costUsd: typeof costUsd === "number" && Number.isFinite(costUsd) && costUsd >= 0 ? costUsd : null
})

const sumOrNull = (one: number | null, other: number | null) =>
  one === null && other === null ? null : (one ?? 0) + (other ?? 0)

/** Two uses of one model. */
export const sumOf = (one: ModelUse, other: ModelUse): ModelUse => ({
  model: one.model,
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
  cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
  costUsd: sumOrNull(one.costUsd, other.costUsd)
})

/** The use of an agent that does not distinguish models. */
export const useOf = (usage: Usage): ModelUse => modelUse(null, usage, usage.costUsd)

/** What is left of an input that includes the tokens read from a cache. */
export const withoutCached = (input: number | null | undefined, cached: number | null | undefined): number =>
  Math.max(0, whole(input) - whole(cached))

/** Longer names than this are cut: they come from what an agent prints. */
const longestModel = 120

/** The cost of a use: what the agent reported, or else what its tokens cost by list prices. */
export const priced = ({ costUsd, model, ...counts }: ModelUse, rates: Rates | null): PricedUse => {
  const use = { ...counts, model: (model ?? "").slice(0, longestModel) }
  if (costUsd !== null) return { ...use, costMicro: whole(costUsd * 1_000_000), costBy: "reported" }
  if (rates !== null) return { ...use, costMicro: costMicro(counts, rates), costBy: "estimated" }
  return { ...use, costMicro: null, costBy: "unpriced" }
}

/** The use of a run whose agent reported no numbers: only the run itself is known. */
export const unreported = (model: string | null): PricedUse => ({
  ...noTokens,
  model: model ?? "",
  costMicro: null,
  costBy: "unreported"
})

/** What an agent that runs has used since it was last looked at. */
export interface LiveUse {
  readonly uses: ReadonlyArray<PricedUse>
  /** Millionths of a US dollar, and tokens that were not read from a cache. */
  readonly cost: { readonly micro: number; readonly tokens: number }
}

const together = (one: PricedUse, other: PricedUse): PricedUse => {
  const known = [one, other].filter(({ costMicro }) => costMicro !== null)
  const costMicro = known.length === 0 ? null : known.reduce((sum, use) => sum + (use.costMicro ?? 0), 0)
  return {
    model: one.model,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    costMicro,
    costBy:
      costMicro === null ? "unpriced" : known.some(({ costBy }) => costBy === "estimated") ? "estimated" : "reported"
  }
}

/** One use for each model. */
export const mergedUses = (uses: ReadonlyArray<PricedUse>): ReadonlyArray<PricedUse> => {
  const byModel = new Map<string, PricedUse>()
  for (const use of uses) {
    const same = byModel.get(use.model)
    byModel.set(use.model, same === undefined ? use : together(same, use))
  }
  return Array.from(byModel.values())
}

/** What a run used: the total that its agent reported at the end, or else what it reported on the way. */
export const usedIn = ({ uses }: Spending, live: ReadonlyArray<PricedUse>): ReadonlyArray<PricedUse> =>
  live.length > 0 && uses.every(({ costBy }) => costBy === "unreported") ? live : uses
