/** Keeps at a read or write of a command while the store is locked; an error that does not pass automatically fails it. */
import * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import { whileWaiting } from "../domain/RetrySchedules.ts"

export const retryWhileBusy = <A, E extends { readonly _tag: string }, R>(
  self: Effect.Effect<A, E | StorageError, R>
): Effect.Effect<A, E | StorageError, R> =>
  Effect.retry(self, {
    while: (error) => error._tag === "StorageError" && "reason" in error && error.reason === "busy",
    schedule: whileWaiting()
  })
