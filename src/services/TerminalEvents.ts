/** Fan-out of terminal states inside this process: a wake-up, never the record. The record is the outbox. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { TerminalEvent } from "../domain/task/TerminalEvent.ts"

export class TerminalEvents extends Context.Tag("backbeat/TerminalEvents")<
  TerminalEvents,
  {
    /** Called after the commit. Never blocks; a slow subscriber loses the oldest. */
    readonly publish: (event: TerminalEvent) => Effect.Effect<void>
    /** Subscribed when this returns. */
    readonly subscribe: Effect.Effect<Stream.Stream<TerminalEvent>, never, Scope.Scope>
  }
>() {}
