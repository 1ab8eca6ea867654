/** Follows the running agent of a claimed task until it is over: copies its output, and decides when it must be stopped. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { StorageError, TaskStateConflict } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Claim, StopCause } from "../../domain/worker/Claim.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Host } from "../../services/Host.ts"
import type { ClaimedTask, Held } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { makeFreezer } from "../gates/makeFreezer.ts"
import { converse } from "../messages/Conversation.ts"
import { captureOrWait, isFlooded, type Listening } from "../messages/Listening.ts"
import { type Asking, makeAskWatch } from "../questions/AskWatch.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { spared, targetOf } from "../serving/spared.ts"
import type { TaskSignals } from "../serving/TaskSignals.ts"
import { boundLeft, endsIn, makeSleepWatch, timeLeft } from "../timeLeft.ts"
import { noteFailure, startAgainMs } from "./beginAgent.ts"
import type { Progress } from "./capture.ts"
import { type Ending, goneEnding, hiddenEnding } from "./judgeExit.ts"
import { heard, isStalled, type StallWatch, stallWatch, standStill, untilReading } from "./StallWatch.ts"

export interface Supervision {
  readonly claimed: Held
  /** The claim with what its start needs; null where it was taken over. */
  readonly fresh: ClaimedTask | null
  readonly worker: Worker
  readonly settings: Settings
  readonly signals: TaskSignals
}

/**
 * Time between looks at a spool, in milliseconds: right after output, when none has come, when none comes at all, and when nothing
 * of a silent task is counted or expected. The spawner ends the last as soon as the task prints or ends.
 */
const tick = { busy: 40, silent: 250, still: 2000, calm: 60_000 } as const

export const holderOf = ({ claimed, worker }: Supervision) => ({ claimId: claimed.claim.claimId, workerId: worker.id })

/** How long a task that shows no sign of life may be left alone: nothing that is timed may be missed. */
const untilTimed = ({ claimed }: Supervision, watch: StallWatch, deadline: number, bound: number): number =>
  Math.max(1, Math.min(bound, deadline, untilReading(claimed.task.stallMs, watch)))

/** Why the task must be ended now, if it must. */
const stopReason = Effect.fn("supervise.stopReason")(function* (
  supervision: Supervision,
  { claim, openMs }: Asking,
  progress: Progress,
  behind: boolean,
  watch: StallWatch,
  { conversation, limits }: Listening
) {
  const parkMs = conversation?.asks?.parkMs ?? null
  const { claimed, settings, signals } = supervision
  const now = yield* elapsedMs
  if (claim.stopCause !== null) return claim.stopCause
  if (yield* Deferred.isDone(signals.cancelled)) return "cancelled" as const
  if (yield* Deferred.isDone(signals.paused)) return "paused" as const
  if (yield* Deferred.isDone(signals.spent)) return "budget" as const
  if ((yield* boundLeft(claim)) <= 0) return "timeout" as const
  if (claim.frozenUptime !== null) return standStill(watch, now)
  if (limits.stop) return "limited" as const
  if (openMs !== null && signals.parks && openMs >= (parkMs ?? settings.askParkMs)) return "asks" as const
  if (openMs === null && (yield* timeLeft(claim)) <= 0) return "timeout" as const
  if (yield* isFlooded(supervision, progress, behind)) return "output-limit" as const
  if (openMs !== null) return standStill(watch, now)
  return (yield* isStalled(claimed.task, targetOf(claim), watch, now)) ? ("stalled" as const) : null
})

/** What can be seen of the process. A lost one is looked at again with the workers that are not survivors of it. */
const look = Effect.fn("supervise.look")(function* (supervision: Supervision, claim: Claim) {
  const spawner = yield* Spawner
  const seen = yield* spawner.observe(targetOf(claim))
  return seen._tag === "Lost" && seen.survivors > 0
    ? yield* spawner.observe(yield* spared(supervision.worker, claim))
    : seen
})

/** What is known when the agent is over. */
export interface Followed {
  /** The row at the end. */
  readonly claim: Claim
  readonly ending: Ending
  /** Whether an agent may have printed anything. */
  readonly begun: boolean
}

const over = (claim: Claim, ending: Ending, begun = true): Followed => ({ claim, ending, begun })

/** What the claim was when the agent had begun, where its output is stored up to, and what that is read for. */
export interface Begun {
  readonly claim: Claim
  readonly progress: Progress
  readonly listening: Listening
}

/** Stops all processes of the task for this cause. `found`: how many there were. */
type Stop<R> = (
  cause: StopCause
) => Effect.Effect<{ readonly claim: Claim; readonly found: number }, StorageError | TaskStateConflict, R>

/**
 * Returns the claim row as it is at the end, with what is known of the ending; null: the agent has not started, and no
 * process can start it any more. `stop` is called as soon as something asks for an end: a cancel, a pause, a limit, the time.
 */
export const followAgent = Effect.fn("supervise.follow")(function* <R>(
  supervision: Supervision,
  { claim: initial, listening, progress }: Begun,
  stop: Stop<R>
) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const { sleepCounts } = yield* Host
  const { claimed, signals } = supervision
  const watch = stallWatch(yield* elapsedMs)
  const afterSleep = yield* makeSleepWatch(holderOf(supervision))
  const whileAsking = yield* makeAskWatch(holderOf(supervision), signals.asks)
  const keepFrozen = makeFreezer(holderOf(supervision))
  let claim = initial
  /** A stop has looked for the task's processes and found none. */
  let absent = false
  let wait: number = tick.busy

  while (true) {
    const asking = yield* whileAsking(yield* afterSleep(claim))
    claim = asking.claim
    const seen = yield* look(supervision, claim)
    // The caller stores what was printed before the end, once no process prints any more.
    if (seen._tag === "Exited") {
      return over(claim, { end: seen.end, endedAt: seen.endedAt, lost: null, leftovers: 0 })
    }
    if (seen._tag === "Lost" && seen.survivors === 0) {
      const signal = claim.stopCause === null ? null : "SIGKILL"
      return over(claim, { ...goneEnding, end: { exitCode: null, signal } })
    }
    if (seen._tag === "NotStarted") {
      if (yield* spawner.revoke(claimed.claim.claimId)) return null
      // No process was seen that could take the token, and none can in a spool that cannot be written.
      if (absent) return over(claim, goneEnding, false)
      yield* noteFailure(holderOf(supervision), null)
    }
    if (seen._tag === "Running" && claim.state === "claimed") {
      claim = yield* retryWhileStorageFails(registry.started(holderOf(supervision), seen.process))
    }
    // Once it is being ended, its processes need to run for that.
    if (claim.stopCause === null && (seen._tag === "Running" || seen._tag === "Lost")) {
      claim = yield* keepFrozen(claim, yield* Ref.get(signals.frozen), spared(supervision.worker, claim))
    }
    const frozen = claim.frozenUptime !== null

    const captured = yield* captureOrWait(supervision, progress, listening)
    if (captured.moved > 0) heard(watch)
    const reason = yield* stopReason(supervision, { ...asking, claim }, progress, captured.more, watch, listening)
    if (reason === null && seen._tag === "Running" && !frozen) {
      yield* converse(listening.conversation, holderOf(supervision), claimed.task.id, !captured.more)
    }
    if (reason !== null) {
      const stopped = yield* stop(reason)
      claim = stopped.claim
      absent = stopped.found === 0
      // No signal reaches it, and a look will never tell that it is gone.
      if (seen._tag === "Hidden") return over(claim, hiddenEnding)
    } else if (captured.more) continue
    if (seen._tag === "NotStarted") wait = reason === null ? startAgainMs : tick.silent
    else wait = captured.moved > 0 ? tick.busy : Math.min(tick.silent, wait * 2)
    // The time of an open question and the patience with an agent that takes messages are measured from look to look.
    const followed = asking.openMs !== null || listening.conversation !== null
    const still = seen._tag === "Running" && captured.moved === 0 && !captured.unread && wait === tick.silent
    const rests = still && claim.stopCause === null
    if (rests) {
      const bound = followed || sleepCounts ? tick.still : tick.calm
      wait = frozen ? tick.still : untilTimed(supervision, watch, yield* endsIn(claim), bound)
    }
    watch.restMs = wait
    yield* Effect.raceFirst(
      rests ? spawner.rest(claimed.claim.claimId, wait) : spawner.pause(claimed.claim.claimId, wait),
      claim.stopCause === null ? EffectQueue.take(signals.changed) : Effect.never
    )
    if (rests) wait = tick.silent
  }
})
