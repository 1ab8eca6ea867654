/** A window of a Codex account, as its server and its records describe it. */
import type { Seen } from "../../../domain/limits/Signal.ts"
import { instant } from "../reading/ResetTime.ts"

const nameOf = (minutes: number): string =>
  minutes === 300 ? "five_hour" : minutes === 10_080 ? "seven_day" : `${minutes}_minute`

/** None where the share or the length is missing. */
export const codexWindow = (
  percent: number | undefined,
  minutes: number | undefined,
  resetsAt: unknown
): ReadonlyArray<Seen> =>
  percent === undefined || minutes === undefined
    ? []
    : [
        {
          _tag: "Seen",
          window: nameOf(minutes),
          family: "",
          used: percent / 100,
          closed: percent >= 100,
          resetsAt: instant(resetsAt)
        }
      ]
