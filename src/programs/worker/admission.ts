/** Decides whether the machine can carry one more task. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Claim, ClaimId } from "../../domain/worker/Claim.ts"
import { Host } from "../../services/Host.ts"

/** How long a task that was just started is counted at its expected size rather than by measured memory. */
export const settlingMs = 5000

type Admission =
  /** `onlyWhenIdle`: memory is short, but a machine on which nothing runs always takes one. `places`: for how many there is room. */
  | { readonly _tag: "Admitted"; readonly onlyWhenIdle: boolean; readonly places: number }
  /** `running` of `limit` workers are taken. */
  | { readonly _tag: "ConcurrencyLimit"; readonly running: number; readonly limit: number }
  /** Starting one more would leave less than the reserve. Bytes. */
  | { readonly _tag: "Memory"; readonly available: number; readonly needed: number }

/**
 * How much longer a worker is settling, in milliseconds, as this process sees it first. One that was claimed by a clock
 * that has been set back since is taken for new.
 */
const settlingLeft = ({ claimedAt }: Pick<Claim, "claimedAt">, now: number): number =>
  claimedAt > now ? settlingMs : Math.max(0, settlingMs - (now - claimedAt))

/** Counts the claims that are settling, by a clock that cannot be set: the wall clock is read once for each of them. */
export const makeSettling = () => {
  const until = new Map<ClaimId, number>()
  return Effect.fn("settling")(function* (claims: ReadonlyArray<Claim>) {
    const now = yield* Clock.currentTimeMillis
    const elapsed = yield* elapsedMs
    const held = new Set(claims.map(({ claimId }) => claimId))
    for (const claimId of until.keys()) if (!held.has(claimId)) until.delete(claimId)
    for (const claim of claims) {
      if (!until.has(claim.claimId)) until.set(claim.claimId, elapsed + settlingLeft(claim, now))
    }
    return Array.from(until.values()).filter((end) => end > elapsed).length
  })
}

/**
 * Whether a task may start next to these claims, of which `settling` were just started. With no claim at all one is
 * always admitted.
 */
export const admission = Effect.fn("admission")(function* (
  claims: ReadonlyArray<Claim>,
  settling: number,
  settings: Settings
) {
  if (claims.length >= settings.maxConcurrency) {
    return { _tag: "ConcurrencyLimit", running: claims.length, limit: settings.maxConcurrency } satisfies Admission
  }
  const host = yield* Host
  const available = yield* host.availableMemory
  const needed = settings.memoryReserveBytes + (settling + 1) * settings.memoryPerTaskBytes
  const short = available < needed
  if (short && claims.length > 0) return { _tag: "Memory", available, needed } satisfies Admission
  const left = settings.maxConcurrency - claims.length
  // Each of them is settling once it has started.
  const fit =
    Math.floor((available - settings.memoryReserveBytes) / Math.max(1, settings.memoryPerTaskBytes)) - settling
  return { _tag: "Admitted", onlyWhenIdle: short, places: short ? 1 : Math.min(left, fit) } satisfies Admission
})
