/** Decides whether the machine can carry one more task. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Settings } from "../domain/Settings.ts"
import type { Worker } from "../domain/Worker.ts"
import { Host } from "../services/Host.ts"

/** How long a task that was just started is counted at its expected size rather than by measured memory. */
export const settlingMs = 5000

export type Admission =
  /** `onlyWhenIdle`: memory is short, but a machine on which nothing runs always takes one. */
  | { readonly _tag: "Admitted"; readonly onlyWhenIdle: boolean }
  /** `running` of `limit` workers are taken. */
  | { readonly _tag: "WorkerLimit"; readonly running: number; readonly limit: number }
  /** Starting one more would leave less than the reserve. Bytes. */
  | { readonly _tag: "Memory"; readonly available: number; readonly needed: number }

/** Whether a task may start beside these workers. With no worker at all one is always admitted. */
export const admission = Effect.fn("admission")(function* (workers: ReadonlyArray<Worker>, settings: Settings) {
  if (workers.length >= settings.maxWorkers) {
    return { _tag: "WorkerLimit", running: workers.length, limit: settings.maxWorkers } satisfies Admission
  }
  const host = yield* Host
  const now = yield* Clock.currentTimeMillis
  const available = yield* host.availableMemory
  const settling = workers.filter((worker) => now - worker.claimedAt < settlingMs).length
  const needed = settings.memoryReserveBytes + (settling + 1) * settings.memoryPerTaskBytes
  const short = available < needed
  if (short && workers.length > 0) return { _tag: "Memory", available, needed } satisfies Admission
  return { _tag: "Admitted", onlyWhenIdle: short } satisfies Admission
})
