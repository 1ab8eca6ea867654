/** What is reserved for a person at a moment. Apart from its setting, which every command reads and this costs time to load. */
import type * as DateTime from "effect/DateTime"
import { type Hours, hoursAround } from "../schedule/hoursAround.ts"
import { reservePattern } from "./Reserve.ts"

export interface ReserveNow extends Hours {
  /** From this use on no task starts, from 0 to 1. */
  readonly from: number
}

/** What is reserved now, in the time zone of the person; null outside of the hours. Hours may go over midnight. */
export const reserveNow = (reserve: string, now: number, zone: DateTime.TimeZone): ReserveNow | null => {
  const found = reservePattern.exec(reserve)
  if (found === null) return null
  const [part = 0, fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number)
  const hours = hoursAround({ hours: fromHour, minutes: fromMinute }, { hours: toHour, minutes: toMinute }, now, zone)
  return hours === null ? null : { from: 1 - part / 100, ...hours }
}
