/** Looks after one claimed task from its start, or from wherever a dead runtime left it, to its end. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { SpawnFailed } from "../domain/Errors.ts"
import { outcome } from "../domain/Outcome.ts"
import type { Runtime } from "../domain/Runtime.ts"
import type { Settings } from "../domain/Settings.ts"
import type { EndCause } from "../domain/Task.ts"
import type { Worker } from "../domain/Worker.ts"
import { failpoint } from "../services/Failpoints.ts"
import { Processes } from "../services/Processes.ts"
import { type Claim, Queue } from "../services/Queue.ts"
import { Spawner, type Target } from "../services/Spawner.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { capture, type Progress, progressOf } from "./capture.ts"
import { conclude, type Ending, outcomeOf } from "./conclude.ts"
import { persist } from "./persist.ts"
import { recordHead, startAgent } from "./startAgent.ts"
import { makeSleepWatch, timeLeft } from "./timeLeft.ts"

export interface Supervision {
  readonly claim: Claim
  readonly runtime: Runtime
  readonly settings: Settings
  /** False: claimed just now. True: taken over. */
  readonly adopted: boolean
  /** Done when somebody asked for a cancel. */
  readonly cancelled: Deferred.Deferred<void>
}

/** Time between looks at a spool, in milliseconds: right after output, when none has come, and when none comes at all. */
const tick = { busy: 40, silent: 250, still: 2000 } as const

/** At most this many reads of a stream before cancel, timeout and exit are looked at again. */
const rounds = 8

const holderOf = ({ claim, runtime }: Supervision) => ({ claimId: claim.worker.claimId, runtimeId: runtime.id })

/** The task's processes. Enough to look at them; before a signal is sent `spared` adds who must not get it. */
const targetOf = (worker: Worker): Target => ({
  taskId: worker.taskId,
  claimId: worker.claimId,
  process: worker.process,
  spare: []
})

/** The task's processes, and the live runtimes that must be spared wherever they stand in its tree. */
const spared = Effect.fn("supervise.spared")(function* (supervision: Supervision, worker: Worker) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const runtimes = yield* persist(registry.runtimes)
  const alive = yield* Effect.filter(runtimes, (runtime) => processes.alive(runtime.process))
  return { ...targetOf(worker), spare: [supervision.runtime.process, ...alive.map((runtime) => runtime.process)] }
})

/** The longest silence counted between two looks, in milliseconds: in a longer one the machine slept, not the agent. */
const longestStep = 10_000

/** Silence is added up from look to look, so that a clock that is set or a lid that is closed ends nothing. */
interface Pulse {
  /** Milliseconds of silence since the last sign of life. */
  silent: number
  /** The silence at which CPU use was last asked for. */
  sampled: number
  cpuMillis: number
  seenAt: number
}

const signOfLife = (pulse: Pulse): void => {
  pulse.silent = 0
  pulse.sampled = 0
}

/** Whether the task showed no sign of life for as long as it may. CPU time is asked for only when output is missing. */
const isStalled = Effect.fn("supervise.isStalled")(function* (claim: Claim, worker: Worker, pulse: Pulse, now: number) {
  const limit = claim.task.stallMs
  if (limit === null) return false
  pulse.silent += Math.min(longestStep, Math.max(0, now - pulse.seenAt))
  pulse.seenAt = now
  // CPU use is sampled four times in a stall period: often enough to notice work, rarely enough to cost nothing.
  if (pulse.silent - pulse.sampled < limit / 4) return false
  const spawner = yield* Spawner
  const cpuMillis = yield* spawner.cpuMillis(targetOf(worker))
  pulse.sampled = pulse.silent
  // The sum falls when a process ends: a change either way is a sign of life.
  if (Math.abs(cpuMillis - pulse.cpuMillis) >= 10) {
    signOfLife(pulse)
    pulse.cpuMillis = cpuMillis
  }
  return pulse.silent >= limit
})

/** How long a task that shows no sign of life may be left alone: nothing that is timed may be missed. */
const untilTimed = ({ claim }: Supervision, pulse: Pulse, deadline: number): number => {
  const limit = claim.task.stallMs ?? Number.POSITIVE_INFINITY
  return Math.max(1, Math.min(tick.still, deadline, limit / 4 - (pulse.silent - pulse.sampled), limit - pulse.silent))
}

/** Whether the spool holds more than it may. What is printed faster than it is stored is looked for there. */
const isFlooded = Effect.fn("supervise.isFlooded")(function* (
  { claim, settings }: Supervision,
  progress: Progress,
  behind: boolean
) {
  const spawner = yield* Spawner
  for (const stream of ["stdout", "stderr"] as const) {
    const printed = behind ? yield* spawner.printed(claim.worker.claimId, stream) : progress[stream]
    if (Math.max(printed, progress[stream]) > settings.maxSpoolBytes) return true
  }
  return false
})

/** Why the task must be ended now, if it must. */
const stopReason = Effect.fn("supervise.stopReason")(function* (
  supervision: Supervision,
  worker: Worker,
  progress: Progress,
  behind: boolean,
  pulse: Pulse
) {
  const now = yield* Clock.currentTimeMillis
  if (worker.stopCause !== null) return worker.stopCause
  if (yield* Deferred.isDone(supervision.cancelled)) return "cancelled" as const
  if ((yield* timeLeft(worker)) <= 0) return "timeout" as const
  if (yield* isFlooded(supervision, progress, behind)) return "output-limit" as const
  return (yield* isStalled(supervision.claim, worker, pulse, now)) ? ("stalled" as const) : null
})

/** Ends the tree for a cause that is on record before the first signal. */
const stop = Effect.fn("supervise.stop")(function* (supervision: Supervision, cause: EndCause) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const stopping = yield* persist(registry.stopping(holderOf(supervision), cause))
  yield* failpoint("stop.recorded")
  const target = yield* spared(supervision, stopping)
  const report = yield* spawner.stop(target, supervision.settings.graceMs)
  yield* failpoint("stop.ended")
  if (report.left > 0) yield* Effect.logWarning(`task ${stopping.taskId}: ${report.left} processes do not die yet`)
  return stopping
})

/** What can be seen of the process. A lost one is looked at again with the runtimes that are not survivors of it. */
const look = Effect.fn("supervise.look")(function* (supervision: Supervision, worker: Worker) {
  const spawner = yield* Spawner
  const seen = yield* spawner.observe(targetOf(worker))
  return seen._tag === "Lost" && seen.survivors > 0 ? yield* spawner.observe(yield* spared(supervision, worker)) : seen
})

/** Captures; a spool that cannot be read is reported and tried again at the next look. */
const captureOrWait = (claim: Claim, progress: Progress) =>
  Effect.map(capture(claim, progress, rounds), (captured) => ({ ...captured, unread: false })).pipe(
    Effect.catchTag("SpawnFailed", (error) =>
      Effect.as(Effect.logWarning(error.message), { moved: 0, more: false, unread: true })
    )
  )

/** Follows the running agent until it is over. The worker row as it is at the end comes back with the ending. */
const follow = Effect.fn("supervise.follow")(function* (supervision: Supervision, initial: Worker, progress: Progress) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const { claim } = supervision
  const pulse: Pulse = { silent: 0, sampled: 0, cpuMillis: 0, seenAt: yield* Clock.currentTimeMillis }
  const afterSleep = yield* makeSleepWatch(holderOf(supervision))
  let worker = initial
  let wait: number = tick.busy

  while (true) {
    worker = yield* afterSleep(worker)
    const seen = yield* look(supervision, worker)
    // What was printed before the end is stored by the caller, once nobody prints any more.
    if (seen._tag === "Exited") {
      return { worker, ending: { end: seen.end, lost: false, leftovers: 0 } satisfies Ending }
    }
    if (seen._tag === "Lost" && seen.survivors === 0) {
      const signal = worker.stopCause === null ? null : "SIGKILL"
      return { worker, ending: { end: { exitCode: null, signal }, lost: true, leftovers: 0 } satisfies Ending }
    }
    if (seen._tag === "NotStarted" && (yield* spawner.revoke(claim.worker.claimId))) return null
    if (seen._tag === "Running" && worker.state === "claimed") {
      worker = yield* persist(registry.started(holderOf(supervision), seen.process))
    }

    const captured = yield* captureOrWait(claim, progress)
    if (captured.moved > 0) signOfLife(pulse)
    const reason = yield* stopReason(supervision, worker, progress, captured.more, pulse)
    if (reason !== null) worker = yield* stop(supervision, reason)
    else if (captured.more) continue
    if (seen._tag === "NotStarted") wait = startAgain
    else wait = captured.moved > 0 ? tick.busy : Math.min(tick.silent, wait * 2)
    const still = seen._tag === "Running" && captured.moved === 0 && !captured.unread && wait === tick.silent
    yield* Effect.raceFirst(
      still && worker.stopCause === null
        ? spawner.rest(claim.worker.claimId, untilTimed(supervision, pulse, yield* timeLeft(worker)))
        : spawner.pause(claim.worker.claimId, wait),
      worker.stopCause === null ? Deferred.await(supervision.cancelled) : Effect.never
    )
  }
})

/** Reads of a spool that fails before its task is ended without the rest, and the pauses between them: half a minute. */
const drainTries = 10
const drainPause = (failures: number) => Math.min(5000, 100 * 2 ** failures)

/** Stores what is left when the agent is over. Only where leftovers are kept may somebody still print: up to a limit. */
const drain = Effect.fn("supervise.drain")(function* (supervision: Supervision, progress: Progress) {
  const { claim, settings } = supervision
  let failures = 0
  while (true) {
    const captured = yield* captureOrWait(claim, progress)
    if (captured.unread) {
      failures += 1
      if (failures === drainTries) return yield* Effect.logError("the rest of its output cannot be read and is lost")
      yield* Effect.sleep(drainPause(failures))
      continue
    }
    if (!captured.more) return
    if (settings.leftovers === "keep" && (yield* isFlooded(supervision, progress, false))) return
    yield* Effect.yieldNow()
  }
})

/** Before what keeps an agent from starting is tried again, in milliseconds. */
const startAgain = 5000

/** What passes by itself, as a full disk does: no reason to end the task. */
const passing = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETIMEDOUT"])
const passes = ({ detail, reason }: SpawnFailed) => reason === "spool" || (reason === "system" && passing.has(detail))

/**
 * Runs until the task has ended or is somebody else's. Never fails for anything an agent does. Interrupting it leaves the
 * agent running and the worker row in place: another runtime carries on from there.
 */
export const supervise = Effect.fn("supervise")(
  function* (supervision: Supervision) {
    const queue = yield* Queue
    const spawner = yield* Spawner
    const { adopted, claim, runtime, settings } = supervision
    const holder = holderOf(supervision)
    const recording = yield* Effect.fork(adopted ? Effect.void : recordHead(claim))
    if (adopted) yield* spawner.reown(claim.worker.claimId, runtime.process)
    if (adopted) yield* failpoint("adopt.reowned")
    const worker = adopted
      ? claim.worker
      : yield* startAgent(claim, runtime).pipe(
          Effect.catchIf(
            (error) => error._tag === "SpawnFailed" && passes(error),
            (error) =>
              Effect.logWarning(`not started yet: ${error.message}`).pipe(
                Effect.zipRight(Effect.raceFirst(Effect.sleep(startAgain), Deferred.await(supervision.cancelled))),
                // From here on as if somebody else had tried: it goes back to the queue once it is sure not to run.
                Effect.as(claim.worker)
              )
          )
        )

    const progress = yield* progressOf(claim)
    const followed = yield* follow(supervision, worker, progress)
    if (followed === null) {
      yield* Effect.logInfo(`task ${claim.task.id} had not started: back to the queue`)
      yield* failpoint("supervise.unstarted")
      // The revoked token stays in its spool, so that no start of this claim can come late.
      yield* persist(queue.requeue(holder))
      return
    }
    yield* failpoint("supervise.ended")
    const target = yield* spared(supervision, followed.worker)
    // A stop ends all of it, also when the runtime that began it was killed half-way.
    const all = settings.leftovers === "end" || followed.worker.stopCause !== null
    const leftovers = all ? yield* spawner.sweep(target, settings.graceMs) : 0
    // Whatever a leftover printed until it was ended counts too.
    yield* failpoint("supervise.swept")
    yield* drain(supervision, progress)
    yield* failpoint("supervise.drained")
    yield* Fiber.await(recording)
    const result = yield* outcomeOf(claim, followed.worker, { ...followed.ending, leftovers })
    yield* conclude(claim, result, holder)
  },
  (effect, supervision) =>
    effect.pipe(
      Effect.catchTags({
        SpawnFailed: (error) =>
          conclude(
            supervision.claim,
            outcome({ status: "failed", cause: "spawn-failed", error: error.message }),
            holderOf(supervision)
          ),
        TaskStateConflict: (conflict) => Effect.logInfo(`no longer ours: ${conflict.message}`)
      }),
      Effect.annotateLogs({ task: supervision.claim.task.id })
    )
)
