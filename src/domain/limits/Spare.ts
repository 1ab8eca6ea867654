/** When a spare task may start: near the end of its account's windows, while they have room that would go unused. */
import { limits, type Opening, opening } from "./Limit.ts"
import { spareName, type Window } from "./Window.ts"

const hour = 3_600_000
const day = 24 * hour

/** From this use on, what is left of a window is left to other work. */
export const spareBelow = 0.8

/** How long before its end a window opens for spare tasks: the last hour of five, the last day of a week. */
export const spareTime = (lengthMs: number): number => Math.round(lengthMs <= day ? lengthMs / 5 : lengthMs / 7)

export interface SpareOpening extends Opening {
  /** When the room is gone, with the window; null where no window is known, so that there is none to wait for. */
  readonly shutsAt: number | null
}

/** Windows that follow one another until a common time for spare tasks is found. Beyond that the lane is looked at again. */
const mostWindows = 100

interface Known {
  readonly name: string
  readonly lengthMs: number
  readonly resetsAt: number
  /** It has room now. */
  readonly room: boolean
}

const known = (window: Window, family: string): ReadonlyArray<Known> =>
  limits(window, family) && window.lengthMs !== null && window.lengthMs > 0 && window.resetsAt !== null
    ? [
        {
          name: window.name,
          lengthMs: window.lengthMs,
          resetsAt: window.resetsAt,
          room: !window.closed && (window.used ?? 0) < spareBelow
        }
      ]
    : []

/** The first time for spare tasks that ends after `at`. A window is followed by the next one, in which nothing is used yet. */
const spanAfter = ({ lengthMs, resetsAt, room }: Known, at: number) => {
  const follows = resetsAt > at ? (room ? 0 : 1) : Math.floor((at - resetsAt) / lengthMs) + 1
  const to = resetsAt + follows * lengthMs
  return { from: to - spareTime(lengthMs), to }
}

/**
 * When spare tasks of a family may start. A request counts in all windows that limit it, so all of them have to be near their
 * end and have room. Where none is known, spare tasks start as others do.
 */
export const spareOpening = (windows: ReadonlyArray<Window>, family: string, now: number): SpareOpening => {
  const limit = opening(windows, family, now)
  const all = windows.flatMap((window) => known(window, family))
  if (all.length === 0) return { ...limit, shutsAt: null }
  let { opensAt, window } = limit
  for (let step = 0; step < mostWindows; step++) {
    const at = Math.max(now, opensAt)
    const spans = all.map((one) => ({ name: one.name, ...spanAfter(one, at) }))
    const shutsAt = Math.min(...spans.map(({ to }) => to))
    const [last] = spans.filter(({ from }) => from > at).sort((one, other) => other.from - one.from)
    if (last === undefined) return { opensAt, window, shutsAt }
    opensAt = last.from
    window = spareName(last.name)
  }
  return { opensAt, window, shutsAt: opensAt }
}
