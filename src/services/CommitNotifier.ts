/** A hint that some process may have committed. Nothing depends on it: a waiter looks again after a bound anyway. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export class CommitNotifier extends Context.Tag("backbeat/Commits")<
  CommitNotifier,
  {
    /**
     * Returns soon after the database was written to since the last call (by this process or any other), and at the
     * latest after `withinMs`. It may return early without a reason.
     */
    readonly changed: (withinMs: number) => Effect.Effect<void>
  }
>() {}
