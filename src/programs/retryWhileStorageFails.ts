/** Keeps at a store operation while what fails may pass: a full disk or a held lock delays work, it never loses any. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { passes, type StorageError } from "../domain/Errors.ts"
import { whileStorageFails } from "../domain/RetrySchedules.ts"
import { count } from "../services/Counters.ts"

const isStorageError = <E>(error: E): error is Extract<E, StorageError> => Predicate.isTagged(error, "StorageError")

const isPassing = <E>(error: E): boolean => isStorageError(error) && passes(error)

/**
 * Retries a `StorageError` that may pass, for as long as it takes, and says so in the log. One that never passes fails,
 * as other errors do: what cannot be read ends or is set aside, and keeps no task and no worker from anything else.
 */
export const retryWhileStorageFails = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const noted = Effect.tapError(self, (error) =>
    isStorageError(error) && passes(error)
      ? Effect.zipRight(count("storage_retries"), Effect.logWarning(`waiting for the store: ${error.message}`))
      : Effect.void
  )
  // The schedule is made only where something has failed: it costs more than the operation that does not need it.
  return Effect.catchIf(noted, isPassing, () =>
    Effect.retry(noted, { while: isPassing, schedule: whileStorageFails() })
  )
}

/**
 * Runs a step of a loop. A step that meets a permanent failure or a defect is skipped, so that the other steps do their work.
 * `told` remembers the failures that are in the log, so that each is logged once.
 */
export const attempt = <A, B, R>(told: Set<string>, step: Effect.Effect<A, StorageError, R>, otherwise: B) => {
  const leftOut = (message: string) => {
    if (told.has(message)) return Effect.succeed(otherwise)
    told.add(message)
    return Effect.as(Effect.logError(message), otherwise)
  }
  return retryWhileStorageFails(step).pipe(
    Effect.catchTag("StorageError", (error) => leftOut(`left out: ${error.message} ${String(error.cause)}`)),
    Effect.catchAllDefect((defect) => leftOut(`left out, and a defect of Backbeat: ${String(defect)}`))
  )
}
