/** The reader of processes for this system. */
import * as Effect from "effect/Effect"
import { linuxReader } from "./LinuxProcesses.ts"
import { portableReader } from "./PortableProcesses.ts"
import type { ProcessReader } from "./ProcessEntry.ts"

/** The reader for this system. */
export const reader: ProcessReader = process.platform === "linux" ? linuxReader : portableReader

/** Tells two processes with the same pid apart. */
export const keyOf = (process: { readonly pid: number; readonly startTime: string }): string =>
  `${process.pid} ${process.startTime}`

/** The process with this pid and start time, unless it has ended. */
export const living = (from: ProcessReader, process: { readonly pid: number; readonly startTime: string }) =>
  Effect.map(from.entry(process.pid), (entry) =>
    entry === null || (entry !== "unknown" && (entry.ended || entry.startTime !== process.startTime)) ? null : entry
  )
