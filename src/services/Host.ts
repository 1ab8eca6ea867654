/** The machine: how much it can carry. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export class Host extends Context.Tag("backbeat/Host")<
  Host,
  {
    /** Memory that new programs can use without swapping, in bytes (`MemAvailable`, within the cgroup's limit). */
    readonly availableMemory: Effect.Effect<number>
    readonly cores: Effect.Effect<number>
    /** The person or agent at this terminal, for "cancelled by". */
    readonly user: Effect.Effect<string>
  }
>() {}
