/** Whether a budget has room for another task, what is reserved for one, and when a budget is nearly spent and spent. */
import type { PricedUse } from "../usage/ModelUse.ts"
import type { BudgetMetric, BudgetStanding } from "./Budget.ts"

/** What a run costs, in both measures of budgets. */
export interface Cost {
  /** Millionths of a US dollar. */
  readonly micro: number
  readonly tokens: number
}

export const noCost: Cost = { micro: 0, tokens: 0 }

/** What is reserved for a task where no run of its kind has been counted yet: one dollar. */
const standardReserve: Cost = { micro: 1_000_000, tokens: 200_000 }

/** How many runs of the same kind are considered. */
export const likeRuns = 20

const share = 0.9

/** The cost that nine of ten runs do not exceed; null where none is known. */
const ninthOfTen = (costs: ReadonlyArray<number>): number | null => {
  const sorted = [...costs].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}

/** What is reserved for a task, from what the last runs of its kind cost. `micro` is null where no cost is known. */
export const reserveFor = (runs: ReadonlyArray<{ readonly micro: number | null; readonly tokens: number }>): Cost => {
  const last = runs.slice(0, likeRuns)
  return {
    micro: ninthOfTen(last.flatMap(({ micro }) => (micro === null ? [] : [micro]))) ?? standardReserve.micro,
    tokens: ninthOfTen(last.flatMap(({ tokens }) => (tokens === 0 ? [] : [tokens]))) ?? standardReserve.tokens
  }
}

export const inMetric = (metric: BudgetMetric, { micro, tokens }: Cost): number => (metric === "usd" ? micro : tokens)

/** What a run counts: where its tokens have no price, what was reserved for it. */
export const costOf = (uses: ReadonlyArray<PricedUse>, reserve: Cost): Cost => {
  const tokens = uses.reduce((sum, use) => sum + use.inputTokens + use.outputTokens + use.cacheWriteTokens, 0)
  const known = uses.flatMap(({ costMicro }) => (costMicro === null ? [] : [costMicro]))
  const unpriced = known.length === 0 && uses.some(({ costBy }) => costBy === "unpriced")
  return { micro: unpriced ? reserve.micro : known.reduce((sum, micro) => sum + micro, 0), tokens }
}

type Room = Pick<BudgetStanding, "amount" | "spent" | "used" | "reserved">

/**
 * Whether a task may start: its reserve has to fit next to what is spent and what running tasks hold. The first task of a
 * period always starts, so that an amount below what a task costs holds nothing for ever. Null: the agent of a task submitted
 * it and may wait for it, so that it needs no reserve, and those of others do not keep it.
 */
export const hasRoom = ({ amount, reserved, spent, used }: Room, reserve: number | null): boolean => {
  if (reserve === null) return spent + used < amount
  const taken = spent + used + reserved
  return taken === 0 || (taken < amount && taken + reserve <= amount)
}

/** Its amount is spent, or no task of the kind that ended last fits into what is left, and none runs that would free some. */
const isSpent = (room: Room, reserve: number): boolean =>
  room.spent + room.used >= room.amount || (room.used + room.reserved === 0 && !hasRoom(room, reserve))

/** Adds the times of the warning and of the trip. Each is set once in a period. */
export const marked = <B extends BudgetStanding>(standing: B, reserve: number, now: number): B => {
  const { amount, spent, trippedAt, used, warnPercent, warnedAt } = standing
  const trips = isSpent(standing, reserve)
  const warns = trips || (spent + used) * 100 >= amount * warnPercent
  return { ...standing, warnedAt: warnedAt ?? (warns ? now : null), trippedAt: trippedAt ?? (trips ? now : null) }
}

/** After a person changed the budget: a mark stays only if it is still true, and no notice is repeated. */
export const remarked = <B extends BudgetStanding>(standing: B, now: number): B => {
  const { trippedAt, warnedAt } = marked({ ...standing, warnedAt: null, trippedAt: null }, 0, now)
  return {
    ...standing,
    warnedAt: warnedAt === null ? null : (standing.warnedAt ?? warnedAt),
    trippedAt: trippedAt === null ? null : (standing.trippedAt ?? trippedAt)
  }
}
