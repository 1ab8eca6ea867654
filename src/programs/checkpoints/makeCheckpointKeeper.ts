/** Makes sure that every task that has run leaves a checkpoint, whichever process ended it and whichever was killed. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as EffectQueue from "effect/Queue"
import type { StorageError } from "../../domain/Errors.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { Checkpoints, type Missing } from "../../services/Checkpoints.ts"
import { Processes } from "../../services/Processes.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { takeCheckpoint } from "./takeCheckpoint.ts"

export interface CheckpointKeeper {
  /** A task that this worker looked after is over. */
  readonly ended: (id: TaskId) => Effect.Effect<void>
  /** Looks whether anything has ended elsewhere. One cheap statement. */
  readonly look: Effect.Effect<void, StorageError>
  /** Whether a checkpoint is being taken, or is about to be. */
  readonly busy: Effect.Effect<boolean>
}

/**
 * How long the checkpoint of an end is left to the worker that brought it about, in milliseconds. Only where that one
 * was killed does another take it.
 */
const graceMs = 10_000

/** Between two looks at ends that cannot be read, in milliseconds. */
const unreadableMs = 60_000

/** The most ends in one read, and the most checkpoints taken at the same time. */
const batch = 50
const abreast = 4

/** The recorded place may lag by this many ends: looking at them again is cheaper than a commit for each. */
const recordEvery = 64

/** Works until its scope closes. */
export const makeCheckpointKeeper = Effect.fn("makeCheckpointKeeper")(function* (self: WorkerId) {
  const checkpoints = yield* Checkpoints
  const tasks = yield* Tasks
  const registry = yield* WorkerRegistry
  const processes = yield* Processes

  const wake = yield* EffectQueue.sliding<void>(1)
  const mine = new Set<TaskId>()
  let recorded = yield* retryWhileStorageFails(checkpoints.reached)
  /** All ends up to here are dealt with. */
  let reached = recorded
  let working = true

  const isAlone = Effect.gen(function* () {
    const others = (yield* registry.workers).filter(({ id }) => id !== self)
    const seen = yield* Effect.forEach(others, ({ process }) => processes.alive(process))
    return seen.every((alive) => alive === "dead")
  })

  /** Log a checkpoint that cannot be taken and skip it: retrying would fail again and block the others. */
  const take = ({ taskId }: Missing) =>
    retryWhileStorageFails(takeCheckpoint(taskId)).pipe(
      // Pruned meanwhile.
      Effect.catchTag("TaskNotFound", () => Effect.void),
      Effect.catchAllCause((cause) => Effect.logWarning(`task ${taskId}: no checkpoint could be taken`, cause)),
      Effect.annotateLogs({ task: taskId })
    )

  /** Takes the due checkpoints. Returns the time until the next one is due, or null. */
  const sweep = Effect.gen(function* () {
    // In this order: an end that comes in between is found at the next sweep.
    const own = new Set(mine)
    const last = yield* tasks.lastEvent
    // Pruned, or a backup was put back: the next end may bear a number that was used before.
    reached = Math.min(reached, last)
    let recovered = false
    while (reached < last) {
      const missing = yield* checkpoints.missing(reached, batch)
      const alone = missing.some(({ taskId }) => !own.has(taskId)) && (yield* isAlone)
      const now = yield* Clock.currentTimeMillis
      const isDue = ({ at, taskId }: Missing) => alone || own.has(taskId) || now - at >= graceMs || now < at
      const due = missing.filter(isDue)
      yield* Effect.forEach(due, take, { concurrency: abreast, discard: true })
      recovered = recovered || due.some(({ taskId }) => !own.has(taskId))
      const young = missing.find((one) => !isDue(one))
      if (young !== undefined) {
        reached = young.seq - 1
        for (const { taskId } of due) mine.delete(taskId)
        return young.at + graceMs - now
      }
      reached = missing.length < batch ? last : (missing.at(-1)?.seq ?? last)
    }
    for (const id of own) mine.delete(id)
    if (recovered || reached - recorded >= recordEvery) {
      yield* checkpoints.advance(reached)
      recorded = reached
    }
    return null
  })

  const work = Effect.gen(function* () {
    while (true) {
      working = true
      const again = yield* retryWhileStorageFails(sweep).pipe(
        Effect.catchTag("StorageError", (error) =>
          Effect.as(Effect.logError(`checkpoints wait: ${error.message} ${String(error.cause)}`), unreadableMs)
        )
      )
      working = false
      const next = EffectQueue.take(wake)
      yield* again === null ? next : Effect.timeoutOption(next, again)
    }
  })
  yield* work.pipe(
    Effect.catchAllCause((cause) => Effect.logError("checkpoints are not taken any more", cause)),
    Effect.ensuring(
      Effect.sync(() => {
        working = false
        mine.clear()
      })
    ),
    Effect.forkScoped
  )

  const keeper: CheckpointKeeper = {
    ended: (id) =>
      Effect.zipRight(
        Effect.sync(() => mine.add(id)),
        EffectQueue.offer(wake, undefined)
      ),
    look: Effect.flatMap(retryWhileStorageFails(tasks.lastEvent), (last) =>
      last !== reached ? EffectQueue.offer(wake, undefined) : Effect.void
    ),
    busy: Effect.sync(() => working || mine.size > 0)
  }
  return keeper
})
