/** Looks after one claimed task from its start, or from wherever a dead worker left it, to its end. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import type { Settings } from "../../domain/settings/Settings.ts"
import { outcome } from "../../domain/task/Outcome.ts"
import type { Claim, StopCause } from "../../domain/worker/Claim.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { type ClaimedTask, type Held, Queue } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { makeFreezer } from "../gates/makeFreezer.ts"
import { notParked, otherAccount, park, parkingOf } from "../limits/park.ts"
import { beginLoop } from "../loops/beginLoop.ts"
import { converse } from "../messages/Conversation.ts"
import { captureOrWait, drain, isFlooded, type Listening, listeningOf } from "../messages/Listening.ts"
import { answerAllows } from "../pipelines/answerAllows.ts"
import { type Asking, makeAskWatch } from "../questions/AskWatch.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { spared, targetOf } from "../serving/spared.ts"
import type { TaskSignals } from "../serving/TaskSignals.ts"
import { makeSleepWatch, timeLeft } from "../timeLeft.ts"
import { withReason } from "./autoRetry.ts"
import { beginAgent, noteFailure, recordHead, startAgainMs } from "./beginAgent.ts"
import { type Progress, progressOf } from "./capture.ts"
import { type Ending, hiddenEnding, judgeExit, recordEnd } from "./conclude.ts"
import { endUnreadable } from "./endUnreadable.ts"
import { heard, isStalled, type StallWatch, stallWatch, standStill, untilReading } from "./StallWatch.ts"

interface Supervision {
  readonly claimed: Held
  /** The claim with what its start needs; null where it was taken over. */
  readonly fresh: ClaimedTask | null
  readonly worker: Worker
  readonly settings: Settings
  readonly signals: TaskSignals
}

/**
 * Time between looks at a spool, in milliseconds: right after output, when none has come, when none comes at all, and when nothing
 * of a silent task is counted or expected. The last is below what counts as one step of its silence.
 */
const tick = { busy: 40, silent: 250, still: 2000, calm: 8000 } as const

const holderOf = ({ claimed, worker }: Supervision) => ({ claimId: claimed.claim.claimId, workerId: worker.id })

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
  const now = yield* Clock.currentTimeMillis
  if (claim.stopCause !== null) return claim.stopCause
  if (yield* Deferred.isDone(signals.cancelled)) return "cancelled" as const
  if (yield* Deferred.isDone(signals.paused)) return "paused" as const
  if (yield* Deferred.isDone(signals.spent)) return "budget" as const
  if (claim.frozenUptime !== null) return standStill(watch, now)
  if (limits.stop) return "limited" as const
  if (openMs !== null && signals.parks && openMs >= (parkMs ?? settings.askParkMs)) return "asks" as const
  if (openMs === null && (yield* timeLeft(claim)) <= 0) return "timeout" as const
  if (yield* isFlooded(supervision, progress, behind)) return "output-limit" as const
  if (openMs !== null) return standStill(watch, now)
  return (yield* isStalled(claimed.task, targetOf(claim), watch, now)) ? ("stalled" as const) : null
})

/** Ends the tree for a cause that is on record before the first signal. */
const stop = Effect.fn("supervise.stop")(function* (supervision: Supervision, cause: StopCause) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const stopping = yield* retryWhileStorageFails(registry.stopping(holderOf(supervision), cause))
  yield* failpoint("stop.recorded")
  const target = yield* spared(supervision.worker, stopping)
  const report = yield* spawner.stop(target, supervision.settings.graceMs)
  yield* failpoint("stop.ended")
  if (report.left > 0) yield* Effect.logWarning(`task ${stopping.taskId}: ${report.left} processes do not die yet`)
  return { claim: stopping, found: report.ended + report.left }
})

/** What can be seen of the process. A lost one is looked at again with the workers that are not survivors of it. */
const look = Effect.fn("supervise.look")(function* (supervision: Supervision, claim: Claim) {
  const spawner = yield* Spawner
  const seen = yield* spawner.observe(targetOf(claim))
  return seen._tag === "Lost" && seen.survivors > 0
    ? yield* spawner.observe(yield* spared(supervision.worker, claim))
    : seen
})

/** What is known at the end, and whether an agent may have printed anything. */
const over = (claim: Claim, ending: Ending, begun = true) => ({ claim, ending, begun })

/** Follows the running agent until it is over. The claim row as it is at the end comes back with the ending. */
const follow = Effect.fn("supervise.follow")(function* (
  supervision: Supervision,
  initial: Claim,
  progress: Progress,
  listening: Listening
) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const { claimed, signals } = supervision
  const watch = stallWatch(yield* Clock.currentTimeMillis)
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
      return over(claim, { end: seen.end, lost: null, leftovers: 0 })
    }
    if (seen._tag === "Lost" && seen.survivors === 0) {
      const signal = claim.stopCause === null ? null : "SIGKILL"
      return over(claim, { end: { exitCode: null, signal }, lost: "gone", leftovers: 0 })
    }
    if (seen._tag === "NotStarted") {
      if (yield* spawner.revoke(claimed.claim.claimId)) return null
      // No process was seen that could take the token, and none can in a spool that cannot be written.
      if (absent) return over(claim, { end: { exitCode: null, signal: null }, lost: "gone", leftovers: 0 }, false)
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
      const stopped = yield* stop(supervision, reason)
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
    yield* Effect.raceFirst(
      still && claim.stopCause === null
        ? spawner.rest(
            claimed.claim.claimId,
            frozen
              ? tick.still
              : untilTimed(supervision, watch, yield* timeLeft(claim), followed ? tick.still : tick.calm)
          )
        : spawner.pause(claimed.claim.claimId, wait),
      claim.stopCause === null ? EffectQueue.take(signals.messaged) : Effect.never
    )
  }
})

/**
 * Runs until the task has ended or belongs to another worker. Never fails for anything an agent does. Interrupting it leaves the
 * agent running and the claim row in place: another worker carries on from there.
 */
export const supervise = Effect.fn("supervise")(
  function* (supervision: Supervision) {
    const queue = yield* Queue
    const spawner = yield* Spawner
    const { claimed, fresh: given, worker, settings } = supervision
    const holder = holderOf(supervision)
    const plan = given?.launch.loop
    const fresh = given === null || plan === undefined ? given : yield* beginLoop(given, plan)
    if (given !== null && fresh === null) return yield* retryWhileStorageFails(queue.requeue(holder))
    const account = fresh === null ? null : yield* otherAccount(fresh)
    if (account !== null) {
      yield* Effect.logInfo(`task ${claimed.task.id}: ${claimed.task.agent} is logged in to another account by now`)
      return yield* retryWhileStorageFails(queue.requeue(holder, account))
    }
    const recording = yield* Effect.fork(fresh === null ? Effect.void : recordHead(fresh))
    if (fresh === null) {
      yield* spawner.transferOwnership(claimed.claim.claimId, worker.process)
      yield* failpoint("adopt.reowned")
    }
    const claim =
      fresh === null ? claimed.claim : yield* beginAgent(fresh, worker, settings, supervision.signals.cancelled)

    const progress = yield* progressOf(claimed)
    const listening = yield* listeningOf(supervision, fresh)
    const followed = yield* follow(supervision, claim, progress, listening)
    if (followed === null) {
      yield* Effect.logInfo(`task ${claimed.task.id} had not started: back to the queue`)
      yield* failpoint("supervise.unstarted")
      // The revoked token stays in its spool, so that no start of this claim can come late.
      yield* retryWhileStorageFails(queue.requeue(holder))
      return
    }
    yield* failpoint("supervise.ended")
    const target = yield* spared(supervision.worker, followed.claim)
    // A stop ends all of it, also when the worker that began it was killed half-way.
    const all = settings.leftovers === "end" || followed.claim.stopCause !== null
    const leftovers = all ? yield* spawner.sweep(target, settings.graceMs) : 0
    // Whatever a leftover printed until it was ended counts too.
    yield* failpoint("supervise.swept")
    if (followed.begun) yield* drain(supervision, progress, listening)
    yield* failpoint("supervise.drained")
    yield* Fiber.await(recording)
    const judged = yield* judgeExit(claimed, followed.claim, { ...followed.ending, leftovers }, settings)
    const visible = followed.ending.lost !== "hidden"
    const end = { claimed, claim: followed.claim, result: judged, settings }
    const parking = visible ? yield* parkingOf(end) : notParked
    if (parking._tag === "Park") return yield* park(claimed, parking.parking, holder, parking.hold)
    // Only a turn that is the last one has to answer.
    const result = yield* answerAllows(claimed.task, judged)
    yield* recordEnd(claimed, withReason(result, parking.reason), holder, visible)
  },
  (effect, supervision) =>
    effect.pipe(
      Effect.catchTags({
        SpawnFailed: (error) =>
          recordEnd(
            supervision.claimed,
            outcome({
              status: "failed",
              cause: error.reason === "no-candidate" || error.reason === "loop-missed" ? "rejected" : "spawn-failed",
              error: error.message
            }),
            holderOf(supervision)
          ),
        TaskStateConflict: (conflict) => Effect.logInfo(`no longer ours: ${conflict.message}`)
      }),
      Effect.catchTag("StorageError", (error) =>
        error.reason === "unfit"
          ? endUnreadable(
              { graceMs: supervision.settings.graceMs, worker: supervision.worker, claim: supervision.claimed.claim },
              error
            )
          : Effect.fail(error)
      ),
      Effect.annotateLogs({ task: supervision.claimed.task.id })
    )
)
