/** Sends deliveries to their hooks while a worker runs its tasks, without delaying the tasks. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { afterTry, type Sending } from "../../domain/hooks/Delivery.ts"
import { type Hook, hooksOf } from "../../domain/hooks/Hook.ts"
import { quietUntil } from "../../domain/hooks/quietUntil.ts"
import { systemZone, zoneOf } from "../../domain/schedule/Zone.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { Deliveries } from "../../services/Deliveries.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { HookSender } from "../../services/HookSender.ts"
import { LocalZone } from "../../services/LocalZone.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { completeSpans } from "./completeSpans.ts"

/** Tries of one worker at the same time; of them at most one for each hook. */
const mostParallel = 4

/** A worker with nothing else to do stays for an attempt that is due within this time, in milliseconds. */
const staysForMs = 120_000

/** When each of the hooks is quiet until; hooks that are not quiet are left out. */
const quietHooks = Effect.fn("quietHooks")(function* (hooks: ReadonlyArray<Hook>) {
  const quiet = new Map<string, number>()
  if (!hooks.some((hook) => hook.quiet !== undefined)) return quiet
  const name = yield* (yield* LocalZone).timezone.pipe(Effect.orElseSucceed(systemZone))
  const zone = Option.getOrNull(zoneOf(name))
  const now = yield* Clock.currentTimeMillis
  for (const hook of hooks) {
    const until = zone === null ? null : quietUntil(hook.quiet, now, zone)
    if (until !== null) quiet.set(hook.name, until)
  }
  return quiet
})

/** One attempt, from the claim to the record of how it ended. */
const tryOnce = Effect.fn("hooks.attempt")(function* (hook: Hook, sending: Sending, worker: WorkerId) {
  const deliveries = yield* Deliveries
  const sender = yield* HookSender
  yield* failpoint("deliver.claimed")
  const whole = hook.kind === "otlp" ? yield* retryWhileStorageFails(completeSpans(sending.body)) : null
  // Stored before it is sent: all attempts send the same.
  if (whole !== null && !(yield* retryWhileStorageFails(deliveries.complete(sending, worker, whole)))) return
  const outcome = yield* sender.send(hook, whole === null ? sending : { ...sending, body: whole })
  yield* failpoint("deliver.sent")
  const now = yield* Clock.currentTimeMillis
  const random = yield* Random.next
  const after = afterTry(outcome, { ...sending, now, random, retryMs: hook.retryMs })
  yield* retryWhileStorageFails(deliveries.settle(sending, worker, after))
  if (after.state === "dead") yield* Effect.logWarning(`hook ${hook.name}: ${sending.seq} is given up: ${after.last}`)
})

/** What a worker does for hooks. */
export const makeDeliverer = Effect.fn("makeDeliverer")(function* (worker: WorkerId, wake: Effect.Effect<unknown>) {
  const deliveries = yield* Deliveries
  const attempts = yield* FiberSet.make<void>()
  const trying = new Set<string>()
  /** Names that the settings did not have at the last look. */
  let absent: ReadonlySet<string> = new Set()
  /** Null before the first look: what the settings say is not known yet. */
  let known: ReadonlyArray<Hook> | null = null
  let nextAt: number | null = null

  const start = Effect.fn("hooks.start")(function* (hook: Hook, sending: Sending) {
    trying.add(hook.name)
    const lost = deliveries.release({ ...sending, sender: worker }).pipe(Effect.timeout("1 second"), Effect.ignore)
    yield* FiberSet.run(
      attempts,
      tryOnce(hook, sending, worker).pipe(
        // A worker that is asked to leave need not wait until another has seen that it is gone.
        Effect.onInterrupt(() => lost),
        Effect.catchAllCause((cause) => Effect.logError(`hook ${hook.name}: the attempt crashed`, cause)),
        Effect.ensuring(
          Effect.zipRight(
            Effect.sync(() => trying.delete(hook.name)),
            wake
          )
        )
      )
    )
  })

  return {
    /** Decides what new notices mean for the hooks, and starts the attempts that are due. */
    look: Effect.fn("hooks.look")(function* ({ hooks: settings }: Pick<Settings, "hooks">) {
      const hooks = hooksOf(settings)
      known = hooks
      nextAt = null
      if (hooks.length === 0) return
      if (yield* deliveries.decide(hooks)) yield* wake
      const quiet = yield* quietHooks(hooks)
      const enabled = hooks.filter((hook) => hook.enabled)
      while (true) {
        const free = enabled.filter(({ name }) => !quiet.has(name) && !trying.has(name))
        const next = Option.getOrNull(yield* deliveries.nextDue(free.map(({ name }) => name)))
        nextAt = next
        if (next === null || next > (yield* Clock.currentTimeMillis) || trying.size >= mostParallel) break
        const sending = yield* deliveries.claim(free, worker)
        if (Option.isNone(sending)) break
        const hook = free.find(({ name }) => name === sending.value.hook)
        if (hook !== undefined) yield* start(hook, sending.value)
      }
      for (const [name, until] of quiet) {
        const held = yield* deliveries.nextDue([name])
        if (Option.isSome(held)) nextAt = Math.min(nextAt ?? until, Math.max(until, held.value))
      }
    }),

    /** Takes over the attempts of workers that are not among `kept`, and forgets hooks that the settings have no more. */
    adopt: Effect.fn("hooks.adopt")(function* (kept: ReadonlySet<WorkerId>) {
      for (const taken of yield* deliveries.taken) {
        const lives = taken.sender === worker ? trying.has(taken.hook) : kept.has(taken.sender)
        if (!lives && (yield* deliveries.release(taken))) yield* wake
      }
      if (known === null) return
      const names = new Set(known.map(({ name }) => name))
      const missing = (yield* deliveries.known).filter((name) => !names.has(name))
      // Not at the first look: a hook may have been added since the settings were read.
      for (const name of missing) if (absent.has(name)) yield* deliveries.forget(name)
      absent = new Set(missing)
    }),

    /** As of the last look. */
    state: Effect.map(Clock.currentTimeMillis, (now) => ({
      /** An attempt runs now. */
      trying: trying.size > 0,
      /** When there is something to do without a commit; null: never, or when an attempt ends. */
      nextAt: trying.size >= mostParallel ? null : nextAt,
      /** Whether a worker with nothing else to do stays for it. */
      waits: nextAt !== null && nextAt - now <= staysForMs
    }))
  }
})

export type Deliverer = Effect.Effect.Success<ReturnType<typeof makeDeliverer>>
