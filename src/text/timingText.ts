/** When a schedule fires, in words. */
import type { Timing } from "../domain/schedule/Schedule.ts"
import { moment, span } from "./FormatDuration.ts"

/** `0 9 * * 1-5 (Europe/Berlin)`, `every 15m`, `once at ...`. */
export const timingText = (timing: Timing): string => {
  switch (timing.kind) {
    case "cron":
      return `${timing.expression} (${timing.timezone})`
    case "every":
      return `every ${span(timing.everyMs)}`
    case "at":
      return `once at ${moment(timing.at)}`
  }
}
