/** The day, week or month in which a budget counts, as the calendar of its time zone has them. */
import * as Option from "effect/Option"
import { fromLocal, toLocal, zoneOf } from "../schedule/Zone.ts"
import type { Budget, BudgetStanding } from "./Budget.ts"

const dayMs = 86_400_000

/** A zone that this system does not know counts as UTC. */
const zoned = (timezone: string) =>
  Option.getOrElse(
    Option.orElse(zoneOf(timezone), () => zoneOf("UTC")),
    () => null
  )

/** The first days of the period that holds a local day, and of the next one. A week begins on Monday. */
const bounds = (period: "day" | "week" | "month", day: number): readonly [number, number] => {
  if (period === "day") return [day, day + dayMs]
  if (period === "week") {
    // The first day of all times was a Thursday.
    const monday = day - ((((Math.floor(day / dayMs) + 3) % 7) + 7) % 7) * dayMs
    return [monday, monday + 7 * dayMs]
  }
  const date = new Date(day)
  const first = (months: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)
  return [first(0), first(1)]
}

/** `to` is null where the period never ends. */
export const periodAt = ({ period, timezone }: Pick<Budget, "period" | "timezone">, now: number) => {
  const zone = zoned(timezone)
  if (period === "total" || zone === null) return { from: 0, to: null }
  const [first, next] = bounds(period, Math.floor(toLocal(zone, now) / dayMs) * dayMs)
  // Where the clock is changed at midnight, the next period may seem to begin now.
  return { from: Math.max(0, fromLocal(zone, first)), to: Math.max(now + 1, fromLocal(zone, next)) }
}

/** The budget as of now: nothing is spent if its period is over. Running tasks count in the next period. */
export const rolled = <B extends BudgetStanding>(standing: B, now: number): B =>
  standing.to === null || now < standing.to
    ? standing
    : { ...standing, ...periodAt(standing, now), spent: 0, warnedAt: null, trippedAt: null }
