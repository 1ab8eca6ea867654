/** The record of the running `beat web` of this home: one at a time, readable only by its user. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { WebUnavailable } from "../domain/web/WebErrors.ts"
import type { WebRecord } from "../domain/web/WebRecord.ts"

export class WebRecords extends Context.Tag("backbeat/WebRecords")<
  WebRecords,
  {
    /** The record of a process that lives. One of a dead process, or one that cannot be read, counts as none. */
    readonly running: Effect.Effect<Option.Option<WebRecord>, WebUnavailable>
    /** Replaces the record whole. */
    readonly write: (record: WebRecord) => Effect.Effect<void, WebUnavailable>
    /** Removes the record of this process; that of another one stays. */
    readonly remove: Effect.Effect<void>
    /** Servers that start at the same time take turns: each looks for the others and writes its record. */
    readonly alone: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | WebUnavailable, R>
    /** Asks the process of the record to end, and returns once it is gone; false if it is still there after `withinMs`. */
    readonly stop: (record: WebRecord, withinMs: number) => Effect.Effect<boolean>
    readonly newToken: Effect.Effect<Redacted.Redacted>
  }
>() {}
