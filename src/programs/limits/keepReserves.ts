/** Closes accounts at the hours for which a part of their windows is kept for a person. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AccountLimits } from "../../domain/limits/AccountLimits.ts"
import { type ReserveNow, reserveNow } from "../../domain/limits/reserveNow.ts"
import { reserved } from "../../domain/limits/Window.ts"
import { ownOf } from "../../domain/Named.ts"
import { zoneOf } from "../../domain/schedule/Zone.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { Limits } from "../../services/Limits.ts"
import { LocalZone } from "../../services/LocalZone.ts"

/** The time until which the account has to be closed; null: it stays open or closed as it is. */
export const reservedUntil = (
  { windows }: AccountLimits,
  { from, since, until }: ReserveNow,
  now: number
): number | null => {
  const resets = windows.flatMap(({ name, resetsAt, used }) =>
    name !== reserved && used !== null && used >= from && resetsAt !== null && resetsAt > now ? [resetsAt] : []
  )
  if (resets.length === 0) return null
  const closedUntil = Math.min(until, Math.max(...resets))
  const before = windows.find(({ name }) => name === reserved)
  const opened = before !== undefined && !before.closed && before.observedAt >= since
  // One that a person has opened in these hours stays open.
  return opened || (before?.closed === true && before.resetsAt === closedUntil) ? null : closedUntil
}

export const keepReserves = Effect.fn("keepReserves")(function* ({ agents }: Pick<Settings, "agents">) {
  if (!Object.values(agents).some(({ reserve }) => reserve !== undefined)) return
  const limits = yield* Limits
  const zone = zoneOf(yield* (yield* LocalZone).timezone)
  const now = yield* Clock.currentTimeMillis
  if (zone._tag === "None") return
  for (const account of yield* limits.list) {
    const reserve = ownOf(agents, account.agent)?.reserve
    const hours = reserve === undefined ? null : reserveNow(reserve, now, zone.value)
    const resetsAt = hours === null ? null : reservedUntil(account, hours, now)
    if (resetsAt === null) continue
    const signal = { _tag: "Seen", window: reserved, family: "", used: null, closed: true, resetsAt } as const
    yield* limits.observe(account.account, [signal])
  }
})
