/** Watches one running agent for signs of work: output, or CPU time used at a rate that waiting does not reach. */
import * as Effect from "effect/Effect"
import { type CpuUse, worked } from "../../domain/task/Stall.ts"
import type { Task } from "../../domain/task/Task.ts"
import { Spawner, type Target } from "../../services/Spawner.ts"

/** Silence counted between two looks beyond what was planned, in milliseconds: in a longer one the machine slept, not the agent. */
const longestDelay = 2000

/** A look that is planned sooner may come as late as this, in milliseconds. */
const shortestRest = 8000

/** CPU use is read this many times in a stall period: often enough to notice work, rarely enough to cost nothing. */
const parts = 4

/** Silence is added up from look to look, so that a clock that is set or a lid that is closed ends nothing. */
export interface StallWatch {
  /** Milliseconds without output. */
  silent: number
  seenAt: number
  /** When the next look is planned, in milliseconds from the last one. */
  restMs: number
  /** CPU use in this silence, at most the last `parts` readings. */
  readings: ReadonlyArray<{ readonly silent: number; readonly use: CpuUse }>
}

export const stallWatch = (now: number): StallWatch => ({ silent: 0, seenAt: now, restMs: shortestRest, readings: [] })

/** Output begins a new silence. */
export const heard = (watch: StallWatch): void => {
  watch.silent = 0
  watch.readings = []
}

/** Nothing is expected of it meanwhile, and the time does not count. */
export const standStill = (watch: StallWatch, now: number): null => {
  watch.seenAt = now
  return null
}

const lastReading = ({ readings }: StallWatch): number => readings.at(-1)?.silent ?? 0

/**
 * Whether the task printed nothing for its stall limit, and did not work in the last three quarters of that time either.
 * The first quarter is left out because agents are busy for a moment after they print. A burst of work puts the end off by
 * no more than the time until it lies as far back.
 */
export const isStalled = Effect.fn("stall.isStalled")(function* (
  { agent, stallMs }: Pick<Task, "agent" | "stallMs">,
  target: Target,
  watch: StallWatch,
  now: number
) {
  if (stallMs === null) return false
  watch.silent += Math.min(Math.max(shortestRest, watch.restMs) + longestDelay, Math.max(0, now - watch.seenAt))
  watch.seenAt = now
  if (watch.silent - lastReading(watch) < stallMs / parts) return false
  const spawner = yield* Spawner
  const use = yield* spawner.cpuUse(target)
  watch.readings = [...watch.readings, { silent: watch.silent, use }].slice(-parts)
  const first = watch.readings[0]
  if (first === undefined || watch.readings.length < parts) return false
  return !worked(agent, first.use, use, watch.silent - first.silent)
})

/** Milliseconds until CPU use must be read again. */
export const untilReading = (stallMs: number | null, watch: StallWatch): number =>
  stallMs === null ? Number.POSITIVE_INFINITY : stallMs / parts - (watch.silent - lastReading(watch))
