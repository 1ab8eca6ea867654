/** Reads for an answer about work that is stored: an error would make the client submit it again. */
import * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import { retryWhileBusy } from "../programs/retryWhileBusy.ts"

/** What is read, or `known`, which the commit has returned, where the store fails. */
export const onceStored = <A, E extends { readonly _tag: string }, R>(
  read: Effect.Effect<A, E | StorageError, R>,
  known: A
) =>
  Effect.catchIf(
    retryWhileBusy(read),
    (error): error is StorageError => error._tag === "StorageError",
    (error) => Effect.as(Effect.logWarning(`what was stored could not be read: ${error.message}`), known)
  )
