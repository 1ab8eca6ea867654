/** How long a running task may still run, by the clocks of the machine: its timeout, without the time in which the machine sleeps, and the time of its loop. */
import * as Effect from "effect/Effect"
import type { Claim } from "../domain/worker/Claim.ts"
import { Host } from "../services/Host.ts"
import { type Holder, WorkerRegistry } from "../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "./retryWhileStorageFails.ts"

/** The longest time between two looks at a task that awake machines need, in milliseconds. */
const longestStep = 10_000

/** Milliseconds until the timeout ends it, infinite where there is none. It stands still while the task is frozen. */
export const timeLeft = Effect.fn("timeLeft")(function* ({ deadlineUptime, frozenUptime }: Claim) {
  const host = yield* Host
  return (deadlineUptime ?? Number.POSITIVE_INFINITY) - (frozenUptime ?? (yield* host.uptimeMs))
})

/** Milliseconds until the time of its loop is over, infinite where it has none. No freeze, no question and no sleep of the machine prolongs it. */
export const boundLeft = Effect.fn("boundLeft")(function* ({ boundUptime }: Claim) {
  return boundUptime === null ? Number.POSITIVE_INFINITY : boundUptime - (yield* (yield* Host).sinceBootMs)
})

/** Milliseconds until the first of them ends it. */
export const endsIn = Effect.fn("endsIn")(function* (claim: Claim) {
  return Math.min(yield* timeLeft(claim), yield* boundLeft(claim))
})

/**
 * To be asked at each look: the claim row, with its timeout moved by what the machine slept since the look before. On a
 * system whose clock stops in sleep there is nothing to move; on the others a long time without a look was sleep.
 */
export const makeSleepWatch = Effect.fn("sleepWatch")(function* (holder: Holder) {
  const host = yield* Host
  const registry = yield* WorkerRegistry
  let seen = yield* host.uptimeMs
  return Effect.fn("sleepWatch.look")(function* (claim: Claim) {
    if (!host.sleepCounts || claim.deadlineUptime === null) return claim
    const now = yield* host.uptimeMs
    const slept = now - seen - longestStep
    seen = now
    // The whole time in which it is frozen is added when it continues.
    return slept > 0 && claim.frozenUptime === null
      ? yield* retryWhileStorageFails(registry.postpone(holder, slept))
      : claim
  })
})
