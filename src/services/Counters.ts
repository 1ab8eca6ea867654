/**
 * Five sums of what a process does. They go to the trace file and are not taken at all without one: `Metric` of Effect
 * would be evaluated at every start of a light command, and keeps counting when nothing reads it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What is counted, and its unit in the notation of OpenTelemetry (UCUM). */
export const counterUnits = {
  /** Tasks that this process claimed. */
  claims: "{task}",
  /** From submit, or the not-before time, to the claim. Waiting for other tasks is part of it. */
  queue_wait: "ms",
  /** From the claim to the running agent. */
  start_time: "ms",
  /** Attempts at a store operation that failed and are made again. */
  storage_retries: "{retry}",
  /** Bytes of output that were stored. */
  output_bytes: "By"
} as const

export type CounterName = keyof typeof counterUnits

export const counterNames = ["claims", "queue_wait", "start_time", "storage_retries", "output_bytes"] as const

/** Adds to a sum. Null, the default: no process reads the sums. */
type Count = ((name: CounterName, by: number) => void) | null

export class Counters extends Context.Reference<Counters>()("backbeat/Counters", {
  defaultValue: (): Count => null
}) {}

export const count = (name: CounterName, by = 1): Effect.Effect<void> =>
  Effect.map(Counters, (add) => {
    if (add !== null) add(name, by)
  })
