/**
 * Wakes the worker of this process after a commit of this process that may have made a task ready. Commits of other processes
 * change the version of the store; those of this process do not.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Null, the default: this process has no worker. */
type Signal = {
  readonly send: Effect.Effect<void>
  /** Returns after the next `send`, or immediately if one came since the last return. */
  readonly received: Effect.Effect<void>
} | null

export class OwnWork extends Context.Reference<OwnWork>()("backbeat/OwnWork", {
  defaultValue: (): Signal => null
}) {}

export const announceWork: Effect.Effect<void> = Effect.flatMap(OwnWork, (signal) => signal?.send ?? Effect.void)

export const ownWork: Effect.Effect<void> = Effect.flatMap(OwnWork, (signal) => signal?.received ?? Effect.never)
