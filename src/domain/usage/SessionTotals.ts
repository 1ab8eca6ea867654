/** Counts that an agent keeps over a whole session, taken apart into what each run added. */
import type { PricedUse } from "./ModelUse.ts"
import { noTokens, type TokenCounts } from "./TokenCounts.ts"

/** What a session has counted of one model so far. */
interface SessionTotal extends TokenCounts {
  readonly costMicro: number
}

const columns = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"] as const

/** The total of a session in which nothing was counted. */
export const noTotal: SessionTotal = { ...noTokens, costMicro: 0 }

export const totalOf = ({ cacheReadTokens, cacheWriteTokens, costMicro, inputTokens, outputTokens }: PricedUse) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens,
  costMicro: costMicro ?? 0
})

/**
 * What a run added: its total without that of the run before. A session whose count is lower than it was has begun to count
 * again, and all of it is new.
 */
export const added = (total: PricedUse, before: SessionTotal): PricedUse => {
  if (columns.some((column) => total[column] < before[column])) return total
  return {
    ...total,
    inputTokens: total.inputTokens - before.inputTokens,
    outputTokens: total.outputTokens - before.outputTokens,
    cacheReadTokens: total.cacheReadTokens - before.cacheReadTokens,
    cacheWriteTokens: total.cacheWriteTokens - before.cacheWriteTokens,
    // A price may have changed between the two.
    costMicro: total.costMicro === null ? null : Math.max(0, total.costMicro - before.costMicro)
  }
}

/** The total of a session, with a run whose total it has not reported yet. */
export const raised = (before: SessionTotal, run: PricedUse): SessionTotal => ({
  inputTokens: before.inputTokens + run.inputTokens,
  outputTokens: before.outputTokens + run.outputTokens,
  cacheReadTokens: before.cacheReadTokens + run.cacheReadTokens,
  cacheWriteTokens: before.cacheWriteTokens + run.cacheWriteTokens,
  costMicro: before.costMicro + (run.costMicro ?? 0)
})
