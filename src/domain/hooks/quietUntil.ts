/** Whether a hook is quiet at a moment. In its own file because every command reads the setting, and this module takes time to load. */
import type * as DateTime from "effect/DateTime"
import { hoursAround } from "../schedule/hoursAround.ts"
import { quietPattern } from "./Hook.ts"

/** When its quiet hours end; null outside of them. */
export const quietUntil = (quiet: string | undefined, now: number, zone: DateTime.TimeZone): number | null => {
  const found = quiet === undefined ? null : quietPattern.exec(quiet)
  if (found === null) return null
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number)
  const from = { hours: fromHour, minutes: fromMinute }
  return hoursAround(from, { hours: toHour, minutes: toMinute }, now, zone)?.until ?? null
}
