/** Keeps at a store operation until it succeeds: a full disk or a held lock delays work, it never loses any. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { StorageError } from "../domain/Errors.ts"
import { count } from "../services/Counters.ts"

/** 100 ms, doubling to at most 5 s, with jitter. */
const backoff = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered,
  Schedule.delayed((delay) => Duration.min(delay, "5 seconds"))
)

const isStorageError = (error: unknown): error is StorageError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "StorageError"

/** Retries on every `StorageError`, for as long as it takes, and says so in the log; other errors pass through. */
export const retryWhileStorageFails = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, StorageError>, R> =>
  self.pipe(
    Effect.tapError((error) =>
      isStorageError(error)
        ? Effect.zipRight(count("storage_retries"), Effect.logWarning(`waiting for the store: ${error.message}`))
        : Effect.void
    ),
    Effect.retry({ while: isStorageError, schedule: backoff }),
    Effect.catchIf(isStorageError, (error) => Effect.die(error))
  ) as Effect.Effect<A, Exclude<E, StorageError>, R>
