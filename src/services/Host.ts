/** The machine: how much it can carry. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export class Host extends Context.Tag("backbeat/Host")<
  Host,
  {
    /** Memory that new programs can use without swapping, in bytes (`MemAvailable`, within the cgroup's limit). */
    readonly availableMemory: Effect.Effect<number>
    /**
     * Milliseconds since the boot of the machine, the same for all processes of it, on a clock that cannot be set. Time in
     * which the machine sleeps does not count, except where `sleepCounts`.
     */
    readonly uptimeMs: Effect.Effect<number>
    /** Whether `uptimeMs` runs on while the machine sleeps. */
    readonly sleepCounts: boolean
    /** The same with the time in which it sleeps, for what ends at a moment and not after a time of work. */
    readonly sinceBootMs: Effect.Effect<number>
    readonly cores: Effect.Effect<number>
    /** The person or agent at this terminal, for "cancelled by". */
    readonly user: Effect.Effect<string>
  }
>() {}
