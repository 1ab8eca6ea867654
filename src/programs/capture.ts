/** Moves what an agent printed from its spool into the output store, exactly once. */
import * as Effect from "effect/Effect"
import type { StreamName } from "../domain/Output.ts"
import { OutputStore } from "../services/OutputStore.ts"
import type { Claim } from "../services/Queue.ts"
import { Spawner } from "../services/Spawner.ts"
import { persist } from "./persist.ts"

/** One read and one transaction: bounds memory per task, and how long others wait for the write lock. */
const chunkBytes = 1024 * 1024

/** Where capture stands in each stream. */
export interface Progress {
  stdout: number
  stderr: number
}

/** The offsets that the store has reached: where a new owner goes on. */
export const progressOf = Effect.fn("progressOf")(function* (claim: Claim) {
  const store = yield* OutputStore
  const states = yield* persist(store.streams(claim.task.id))
  const size = (stream: StreamName) => states.find((state) => state.stream === stream)?.size ?? 0
  const progress: Progress = { stdout: size("stdout"), stderr: size("stderr") }
  return progress
})

/** Stores what was printed since, up to `rounds` reads of each stream. True when there may be more at once. */
export const capture = Effect.fn("capture")(function* (claim: Claim, progress: Progress, rounds: number) {
  const store = yield* OutputStore
  const spawner = yield* Spawner
  let more = false
  let moved = 0
  for (const stream of ["stdout", "stderr"] as const) {
    for (let round = 0; round < rounds; round++) {
      const bytes = yield* spawner.read(claim.worker.claimId, stream, progress[stream], chunkBytes)
      if (bytes.length === 0) break
      const state = yield* persist(
        store.append(
          { taskId: claim.task.id, stream, offset: progress[stream], bytes },
          { cap: claim.task.maxOutputBytes }
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
