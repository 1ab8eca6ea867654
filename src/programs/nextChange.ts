/** Waits for the store to change, as seen from any process: the one poll that every waiting command shares. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { elapsedMs } from "../domain/Elapsed.ts"
import type { StorageError } from "../domain/Errors.ts"
import { Tasks } from "../services/Tasks.ts"

/** Between two looks at the version: far below what a person notices, far above what a machine does. */
const pollMs = 60

/** The version does not change with this process's own commits, so every reader looks again after this time anyway. */
const rescanMs = 300

/** Wait for a store that is locked for a while; fail on an error that does not pass automatically. */
export const retryWhileBusy = <A, E extends { readonly _tag: string }, R>(
  self: Effect.Effect<A, E | StorageError, R>
): Effect.Effect<A, E | StorageError, R> =>
  Effect.retry(self, {
    while: (error) => error._tag === "StorageError" && "reason" in error && error.reason === "busy",
    schedule: Schedule.spaced("500 millis").pipe(Schedule.intersect(Schedule.recurs(120)))
  })

/** Returns the new version once it differs from `seen`, and at the latest after 300 ms. */
export const nextChange = Effect.fn("nextChange")(function* (seen: number) {
  const tasks = yield* Tasks
  const until = (yield* elapsedMs) + rescanMs
  let version = seen
  do {
    yield* Effect.sleep(pollMs)
    version = yield* retryWhileBusy(tasks.version)
  } while (version === seen && (yield* elapsedMs) < until)
  return version
})
