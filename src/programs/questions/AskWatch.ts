/** Watches one running agent for open questions: its timeout and stall limit do not count that time. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Claim } from "../../domain/worker/Claim.ts"
import { Host } from "../../services/Host.ts"
import { type Holder, WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** The timeout is moved in steps of this length, so that a worker that is killed loses no more than that. Milliseconds. */
const stepMs = 5000

export interface Asking {
  readonly claim: Claim
  /** How long a question has been open, as this worker saw it; null: none is. */
  readonly openMs: number | null
}

/** To be asked at each look: the claim row, with its timeout moved by the time in which a question was open. */
export const makeAskWatch = Effect.fn("askWatch")(function* (holder: Holder, asks: Ref.Ref<boolean>) {
  const host = yield* Host
  const registry = yield* WorkerRegistry
  let seen = yield* host.uptimeMs
  let openMs = 0
  let owed = 0
  let wasOpen = yield* Ref.get(asks)
  return Effect.fn("askWatch.look")(function* (claim: Claim) {
    const now = yield* host.uptimeMs
    const passed = Math.max(0, now - seen)
    seen = now
    // What has passed since the last look is counted by what was seen then: a silent task is not looked at for a minute.
    const before = wasOpen
    const open = yield* Ref.get(asks)
    wasOpen = open
    // The whole time in which it is frozen is added when it continues.
    if (claim.frozenUptime !== null) return { claim, openMs: open ? openMs : null } satisfies Asking
    if (before) {
      openMs += passed
      owed += passed
    }
    if (!open) openMs = 0
    let moved = claim
    if (owed >= (open ? stepMs : 1)) {
      const whole = Math.floor(owed)
      owed -= whole
      if (claim.deadlineUptime !== null) {
        moved = yield* retryWhileStorageFails(registry.postpone(holder, whole))
      }
    }
    const asking: Asking = { claim: moved, openMs: open ? openMs : null }
    return asking
  })
})
