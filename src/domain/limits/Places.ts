/**
 * How many tasks of an account may start after its limit ended: one asks, and only its answer lets others follow. What was running
 * when the limit was met takes no place: its answers prove nothing, and it may run for hours.
 */

/** The number of places doubles this often, in milliseconds. */
export const doublingMs = 20_000

/** From here on the account has no bound. */
export const mostDoublings = 6

export interface Places {
  /** Null: no bound. 1: the next task asks whether the limit is over. 2: it was answered at `at`. */
  readonly count: number | null
  readonly at: number
  /** When the limit was met: claims from then on take places. */
  readonly since: number
}

export const noBound: Places = { count: null, at: 0, since: 0 }

/** After a limit was met. */
export const oneProbe = (now: number): Places => ({ count: 1, at: now, since: now })

/**
 * After an answer to an attempt that began at `claimedAt`. One that began before the limit was met proves nothing. `opened`: it has
 * opened the limit of one family of models, so that tasks with such a model follow it, 2 first.
 */
export const afterServed = (places: Places, claimedAt: number, opened: boolean, now: number): Places => {
  if (places.count !== 1) return opened ? { count: 2, at: now, since: now } : places
  return claimedAt >= places.since ? { count: 2, at: now, since: places.since } : places
}

/** Tasks that may run now: 1, then 2, 4, 8. */
export const placesNow = ({ at, count }: Omit<Places, "since">, now: number): number => {
  if (count === null) return Number.POSITIVE_INFINITY
  if (count === 1) return 1
  const doublings = Math.floor(Math.max(0, now - at) / doublingMs)
  return doublings >= mostDoublings ? Number.POSITIVE_INFINITY : count * 2 ** doublings
}
