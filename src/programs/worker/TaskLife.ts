/**
 * The life of a task, from top to bottom: claim, start, capture, stop, judge, record, release. A step is one function here, and it
 * names the room that does the work. `claimTask` is called by the loop of the worker (Pool.ts); `supervise` is the list of the
 * other steps. After them the worker takes the checkpoint (programs/checkpoints).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { SpawnFailed } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { type Outcome, outcome } from "../../domain/task/Outcome.ts"
import type { TerminalEvent } from "../../domain/task/TerminalEvent.ts"
import type { StopCause } from "../../domain/worker/Claim.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { count } from "../../services/Counters.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Host } from "../../services/Host.ts"
import { Processes } from "../../services/Processes.ts"
import { type ClaimOptions, Queue } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { notParked, otherAccount, park, parkingOf } from "../limits/park.ts"
import { beginLoop } from "../loops/beginLoop.ts"
import { drain, listeningOf } from "../messages/Listening.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { spared } from "../serving/spared.ts"
import { answerAllows } from "./answerAllows.ts"
import { withReason } from "./autoRetry.ts"
import { beginAgent, recordHead } from "./beginAgent.ts"
import { progressOf } from "./capture.ts"
import { endUnreadable } from "./endUnreadable.ts"
import { type Begun, type Followed, followAgent, holderOf, type Supervision } from "./followAgent.ts"
import { judgeExit } from "./judgeExit.ts"
import { recordEnd } from "./recordEnd.ts"

/**
 * 1. Claim. One transaction (layers/sql/queue/claim.ts) finds the first `most` tasks that may run and writes their claim rows: a row
 * exists before the process does. Whether the machine has room is asked before (admission.ts).
 */
export const claimTask = Effect.fn("claimTask")(function* (
  worker: Worker,
  settings: Settings,
  onlyWhenIdle: boolean,
  most: number
) {
  const queue = yield* Queue
  const processes = yield* Processes
  const host = yield* Host
  const options: ClaimOptions = {
    workerId: worker.id,
    maxConcurrency: settings.maxConcurrency,
    onlyWhenIdle,
    workspaceMaxBytes: settings.workspaceMaxBytes,
    bootId: yield* processes.bootId,
    uptimeMs: yield* host.uptimeMs,
    sinceBootMs: yield* host.sinceBootMs,
    uid: processes.uid
  }
  const claimed = yield* queue.claimSeveral(options, most)
  for (const { task } of claimed) {
    const { agent, createdAt, id, notBefore } = task
    yield* count("claims")
    yield* count("queue_wait", Math.max(0, (yield* Clock.currentTimeMillis) - Math.max(createdAt, notBefore ?? 0)))
    yield* Effect.logInfo(`task ${id}: starting ${agent}`)
  }
  return claimed
})

/**
 * 2. Start. The agent of a new claim is started (beginAgent.ts); of a claim that was taken over, the processes get a new owner.
 * Null: it is in the queue again.
 */
const start = Effect.fn("supervise.start")(function* (supervision: Supervision) {
  const queue = yield* Queue
  const spawner = yield* Spawner
  const { claimed, fresh: given, settings, signals, worker } = supervision
  const holder = holderOf(supervision)
  const plan = given?.launch.loop
  const fresh = given === null || plan === undefined ? given : yield* beginLoop(given, plan)
  if (given !== null && fresh === null) return yield* Effect.as(retryWhileStorageFails(queue.requeue(holder)), null)
  const account = fresh === null ? null : yield* otherAccount(fresh)
  if (account !== null) {
    yield* Effect.logInfo(`task ${claimed.task.id}: ${claimed.task.agent} is logged in to another account by now`)
    return yield* Effect.as(retryWhileStorageFails(queue.requeue(holder, account)), null)
  }
  const recording = yield* Effect.fork(fresh === null ? Effect.void : recordHead(fresh))
  if (fresh === null) {
    yield* spawner.transferOwnership(claimed.claim.claimId, worker.process)
    yield* failpoint("adopt.reowned")
  }
  const claim = fresh === null ? claimed.claim : yield* beginAgent(fresh, worker, settings, signals.cancelled)
  const progress = yield* progressOf(claimed, fresh)
  return { claim, progress, recording, listening: yield* listeningOf(supervision, fresh) }
})

/**
 * 3. Capture. Copies what the agent prints into the store until it is over, and stops it as soon as something asks for its end
 * (followAgent.ts; the bytes: capture.ts). Null: it never started, and it is in the queue again.
 */
const capture = Effect.fn("supervise.capture")(function* (supervision: Supervision, begun: Begun) {
  const queue = yield* Queue
  const { claimed } = supervision
  const followed = yield* followAgent(supervision, begun, (cause) => stop(supervision, cause))
  if (followed !== null) {
    yield* failpoint("supervise.ended")
    return followed
  }
  yield* Effect.logInfo(`task ${claimed.task.id} had not started: back to the queue`)
  yield* failpoint("supervise.unstarted")
  // The revoked token stays in its spool, so that no start of this claim can come late.
  yield* retryWhileStorageFails(queue.requeue(holderOf(supervision)))
  return null
})

/**
 * 4. Stop: what a cancel, a pause, a limit or the time asks for. The cause is on record before the first signal, which goes to all
 * processes of the task (layers/node/process/TreeEnding.ts: TERM, and KILL after a grace period). An exit is seen by step 3.
 */
const stop = Effect.fn("supervise.stop")(function* (supervision: Supervision, cause: StopCause) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const stopping = yield* retryWhileStorageFails(registry.stopping(holderOf(supervision), cause))
  yield* failpoint("stop.recorded")
  const target = yield* spared(supervision.worker, stopping)
  const report = yield* spawner.stop(target, supervision.settings.graceMs)
  yield* failpoint("stop.ended")
  if (report.left > 0) yield* Effect.logWarning(`task ${stopping.taskId}: ${report.left} processes are still alive`)
  return { claim: stopping, found: report.ended + report.left }
})

/** Also step 4: what the agent left running is stopped, and what was printed until then is stored. Returns how many there were. */
const stopLeftovers = Effect.fn("supervise.leftovers")(function* (
  supervision: Supervision,
  { listening, progress }: Begun,
  followed: Followed
) {
  const spawner = yield* Spawner
  const { settings, worker } = supervision
  const target = yield* spared(worker, followed.claim)
  // A stop ends all of it, also when the worker that began it was killed half-way.
  const all = settings.leftovers === "end" || followed.claim.stopCause !== null
  const leftovers = all ? yield* spawner.sweep(target, settings.graceMs) : 0
  // Whatever a leftover printed until it was ended counts too.
  yield* failpoint("supervise.swept")
  if (followed.begun) yield* drain(supervision, progress, listening)
  yield* failpoint("supervise.drained")
  return leftovers
})

/**
 * 5. Judge. The outcome by exit status and stream (judgeExit.ts), whether the task is parked instead of ended
 * (limits/park.ts, `parkingOf`), and whether its answer says what it has to (answerAllows.ts).
 */
const judge = Effect.fn("supervise.judge")(function* (
  { claimed, settings }: Supervision,
  { claim, ending }: Followed,
  leftovers: number
) {
  const judged = yield* judgeExit(claimed, claim, { ...ending, leftovers }, settings)
  // Where an agent may still run, a second one must not start.
  const visible = ending.lost !== "hidden"
  const parking = visible ? yield* parkingOf({ claimed, claim, result: judged, settings }) : notParked
  if (parking._tag === "Park") return parking
  // Only a turn that is the last one has to answer.
  const result = yield* answerAllows(claimed.task, judged)
  return { _tag: "Ended", result: withReason(result, parking.reason), visible } as const
})

/**
 * 6. Record. One transaction (layers/sql/queue/finish.ts) writes the end, deletes the claim and releases or cancels the tasks that
 * waited for it. Null: another worker has recorded an end of this claim.
 */
const record = (supervision: Supervision, result: Outcome, visible = true) =>
  recordEnd(supervision.claimed, result, holderOf(supervision), visible)

/** 7. Release. After the commit, and only then: the spool is deleted, and listeners in this process get the event. */
const release = Effect.fn("supervise.release")(function* ({ claimed }: Supervision, event: TerminalEvent | null) {
  if (event === null) return
  const spawner = yield* Spawner
  const events = yield* TerminalEvents
  yield* spawner.discard(claimed.claim.claimId)
  yield* failpoint("release.discarded")
  yield* events.publish(event)
  const next = event.retriedBy === null ? "" : `, retried as ${event.retriedBy}`
  yield* Effect.logInfo(`task ${claimed.task.id} ${event.status} (${event.cause})${next}`)
})

/** Steps 6 and 7 of an agent that cannot be started. */
const endUnstarted = (supervision: Supervision, { message, reason }: SpawnFailed) =>
  record(
    supervision,
    outcome({
      status: "failed",
      cause: reason === "no-candidate" || reason === "loop-missed" ? "rejected" : "spawn-failed",
      error: message
    })
  ).pipe(Effect.flatMap((event) => release(supervision, event)))

/**
 * Looks after one claimed task from its start, or from wherever a dead worker left it, until it has ended or belongs to another
 * worker. Never fails for anything an agent does. Interrupting it leaves the agent running and the claim row in place: another
 * worker carries on from there.
 */
export const supervise = Effect.fn("supervise")(
  function* (supervision: Supervision) {
    const begun = yield* start(supervision)
    if (begun === null) return
    const followed = yield* capture(supervision, begun)
    if (followed === null) return
    const leftovers = yield* stopLeftovers(supervision, begun, followed)
    yield* Fiber.await(begun.recording)
    const judged = yield* judge(supervision, followed, leftovers)
    // Step 6 and 7 of a task that is parked: back to the queue, in its session.
    if (judged._tag === "Park") {
      return yield* park(supervision.claimed, judged.parking, holderOf(supervision), judged.hold)
    }
    const event = yield* record(supervision, judged.result, judged.visible)
    yield* release(supervision, event)
  },
  (effect, supervision) =>
    effect.pipe(
      Effect.catchTags({
        SpawnFailed: (error) => endUnstarted(supervision, error),
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
