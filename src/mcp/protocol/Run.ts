/** How a message of a client becomes an effect, and which era of the protocol it speaks. */
import type * as Effect from "effect/Effect"
import type { ToolServices } from "../Tool.ts"

export type Era = "legacy" | "modern"

/**
 * Runs an effect over the services of this process. An abort ends it; a defect is reported and becomes a short message.
 * Rejects with the effect's failure, or with a `StorageError` if the services could not be opened.
 */
export type Run = <A>(name: string, effect: Effect.Effect<A, Error, ToolServices>, signal: AbortSignal) => Promise<A>
