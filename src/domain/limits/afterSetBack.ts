/** A window that was seen while the clock on the wall was ahead. */
import { believed } from "./Limit.ts"
import { type Window, yours } from "./Window.ts"

/**
 * It counts as seen now, so that later signals are believed. A reported end of a window of known length is a time of the day: it is
 * kept, as far as the window is long. Any other end may be a guess or a length of time that was reported, so it is not further away than
 * it was when the window was seen: a task that asks too early costs one refused request. What a person has set stays.
 */
export const afterSetBack = (window: Window, now: number): Window => {
  const { closed, lengthMs, name, observedAt, refusals, resetsAt } = window
  if (observedAt <= now) return window
  const seen = { ...window, observedAt: now }
  if (name === yours || resetsAt === null || resetsAt <= now) return seen
  if (lengthMs !== null && (!closed || refusals === 0)) return { ...seen, resetsAt: believed(resetsAt, lengthMs, now) }
  return { ...seen, resetsAt: Math.min(resetsAt, now + Math.max(1, resetsAt - observedAt)) }
}
