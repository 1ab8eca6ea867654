/** Hours of the day in a time zone, such as 22:00 to 07:00. */
import * as DateTime from "effect/DateTime"

interface TimeOfDay {
  readonly hours: number
  readonly minutes: number
}

export interface Hours {
  /** When they began, and when they end. */
  readonly since: number
  readonly until: number
}

/** The hours that a moment is in; null where it is outside of them. They may go over midnight. */
export const hoursAround = (from: TimeOfDay, to: TimeOfDay, now: number, zone: DateTime.TimeZone): Hours | null => {
  const here = DateTime.unsafeMakeZoned(now, { timeZone: zone })
  const parts = DateTime.toParts(here)
  const minuteOf = ({ hours, minutes }: TimeOfDay) => hours * 60 + minutes
  const [at, first, last] = [minuteOf(parts), minuteOf(from), minuteOf(to)]
  const within = first <= last ? at >= first && at < last : at >= first || at < last
  if (!within) return null
  const today = ({ hours, minutes }: TimeOfDay) => DateTime.setParts(here, { hours, minutes, seconds: 0, millis: 0 })
  const begin = today(from)
  const end = today(to)
  const since = begin.epochMillis <= now ? begin : DateTime.add(begin, { days: -1 })
  const until = end.epochMillis > now ? end : DateTime.add(end, { days: 1 })
  return { since: since.epochMillis, until: until.epochMillis }
}
