/** Tasks in numbers, for monitoring. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { Tally } from "../domain/metrics/Tally.ts"

export class Metrics extends Context.Tag("backbeat/Metrics")<
  Metrics,
  {
    /** All queued and running tasks, and those that ended at `since` or later, grouped by every field but the sums. */
    readonly tally: (since: number) => Effect.Effect<ReadonlyArray<Tally>, StorageError>
  }
>() {}
