/** The ledger of what agents used. It is written where tasks end and are parked, and outlives them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { UsageQuery, UsageRow, UsageSums } from "../domain/usage/UsageReport.ts"

export class Ledger extends Context.Tag("backbeat/Ledger")<
  Ledger,
  {
    /**
     * Sums over the runs that ended in `from` to `to` (excluded). At most 1000 rows, by day, then the most expensive and
     * largest first; `total` is over all of them.
     */
    readonly report: (
      query: UsageQuery
    ) => Effect.Effect<{ readonly rows: ReadonlyArray<UsageRow>; readonly total: UsageSums }, StorageError>
  }
>() {}
