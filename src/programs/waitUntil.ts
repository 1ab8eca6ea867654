/** Waits until something in the store is over, from any process, without being busy. */
import * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import { Tasks } from "../services/Tasks.ts"
import { nextChange, retryWhileBusy } from "./nextChange.ts"
import { type EnsureWorkerOptions, whileWorkerRuns } from "./worker/ensureWorker.ts"

/** Looks now and after each commit, until `isOver` accepts what is found. No time limit: `Effect.timeout` is for the caller. */
export const watchUntil = Effect.fn("watchUntil")(function* <A, E extends { readonly _tag: string }, R>(
  look: Effect.Effect<A, E | StorageError, R>,
  isOver: (found: A) => boolean
) {
  const tasks = yield* Tasks
  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* retryWhileBusy(tasks.version)
  while (true) {
    const found = yield* retryWhileBusy(look)
    if (isOver(found)) return found
    version = yield* nextChange(version)
  }
})

/** The same, and sees to it that a worker runs. It starts none where the first look finds the end. */
export const waitUntil = Effect.fn("waitUntil")(function* <A, E extends { readonly _tag: string }, R>(
  look: Effect.Effect<A, E | StorageError, R>,
  isOver: (found: A) => boolean,
  options: EnsureWorkerOptions
) {
  const first = yield* retryWhileBusy(look)
  return isOver(first) ? first : yield* whileWorkerRuns(watchUntil(look, isOver), options)
})
