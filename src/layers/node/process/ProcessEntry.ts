/** What the system shows of processes, in one shape for every system. */
import type * as Effect from "effect/Effect"
import type { Place } from "../../../domain/worker/Process.ts"

/** One process as it was when it was looked at. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** Null where the system does not report sessions. */
  readonly session: number | null
  readonly startTime: string
  /** A zombie: it has ended and only waits for its parent to read its status. */
  readonly ended: boolean
  /** Stopped by a signal: it acts on none but KILL until it is continued. */
  readonly stopped: boolean
  /** CPU time of the process itself, and of the children it has waited for. */
  readonly ownMillis: number
  readonly waitedMillis: number
}

/** The marks Backbeat leaves in the environments of what it starts. */
export interface Marks {
  readonly taskId: string | null
  readonly worker: boolean
}

export interface ProcessReader {
  /** Null: there is no such process. `unknown`: the system does not say. */
  readonly entry: (pid: number) => Effect.Effect<ProcessEntry | "unknown" | null>
  readonly all: Effect.Effect<ReadonlyArray<ProcessEntry>>
  /** Read now, for a program that replaces another changes them. None where the system hides environments. */
  readonly marks: (pid: number) => Marks
  /** A number that rises with the start time, to tell what began before what. */
  readonly order: (startTime: string) => number
  readonly place: Effect.Effect<Place>
}
