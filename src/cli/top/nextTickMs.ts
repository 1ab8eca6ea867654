/** When the screen has to be drawn again although nothing happened, because the ages on it grow. */
import { rowsOf, type TopState } from "./TopState.ts"

const second = 1000
const minute = 60 * second

/** Up to this age seconds are shown. */
const inSeconds = (since: number, now: number): boolean => now - since < minute

/** Milliseconds until the next look at the clock: a second where seconds are shown, else the rest of a tenth of a minute. */
export const nextTickMs = (state: TopState, now: number): number => {
  const moving =
    rowsOf(state).some(({ task, wait }) =>
      task.endedAt !== null
        ? inSeconds(task.endedAt, now)
        : inSeconds(task.startedAt ?? task.createdAt, now) || (wait?.kind === "time" && wait.at - now < 60 * minute)
    ) ||
    (state.output?.text.at !== null && state.output !== null && inSeconds(state.output.text.at, now))
  return moving ? second : 6 * second
}
