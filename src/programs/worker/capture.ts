/** Moves what an agent printed from its spool into the output store, exactly once. */
import * as Effect from "effect/Effect"
import type { StreamName } from "../../domain/output/Output.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** One read and one transaction: bounds memory per task, and how long others wait for the write lock. */
const chunkBytes = 1024 * 1024

/** Where capture stands in each stream. */
export interface Progress {
  stdout: number
  stderr: number
}

/** The offsets that the store has reached: where a new owner goes on. */
export const progressOf = Effect.fn("progressOf")(function* (claimed: ClaimedTask) {
  const store = yield* OutputStore
  const states = yield* retryWhileStorageFails(store.streams(claimed.task.id))
  const size = (stream: StreamName) => states.find((state) => state.stream === stream)?.size ?? 0
  const progress: Progress = { stdout: size("stdout"), stderr: size("stderr") }
  return progress
})

/**
 * An agent may print faster than can be stored. What would be dropped from the middle anyway is then not even read, so
 * that the capture keeps up with any agent, and the end of a task never waits for gigabytes.
 */
const catchUp = Effect.fn("catchUp")(function* (
  claimed: ClaimedTask,
  progress: Progress,
  stream: StreamName,
  rounds: number
) {
  const cap = claimed.task.maxOutputBytes
  const head = Math.floor(cap / 2)
  if (progress[stream] < head) return
  const spawner = yield* Spawner
  const to = (yield* spawner.printed(claimed.claim.claimId, stream)) - (cap - head)
  if (to - progress[stream] <= rounds * chunkBytes) return
  const store = yield* OutputStore
  const state = yield* retryWhileStorageFails(store.skip({ taskId: claimed.task.id, stream, to }, { cap }))
  progress[stream] = state.size
})

/** Stores what was printed since, up to `rounds` reads of each stream. True when there may be more at once. */
export const capture = Effect.fn("capture")(function* (claimed: ClaimedTask, progress: Progress, rounds: number) {
  const store = yield* OutputStore
  const spawner = yield* Spawner
  let more = false
  let moved = 0
  for (const stream of ["stdout", "stderr"] as const) {
    yield* catchUp(claimed, progress, stream, rounds)
    for (let round = 0; round < rounds; round++) {
      const bytes = yield* spawner.read(claimed.claim.claimId, stream, progress[stream], chunkBytes)
      if (bytes.length === 0) break
      const state = yield* retryWhileStorageFails(
        store.append(
          { taskId: claimed.task.id, stream, offset: progress[stream], bytes },
          { cap: claimed.task.maxOutputBytes }
        )
      )
      progress[stream] = state.size
      moved += bytes.length
      if (bytes.length < chunkBytes) break
      if (round === rounds - 1) more = true
    }
  }
  return { moved, more }
})
