/** Limits of accounts in words, for people who wait for one. */

import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { LimitWait } from "../../domain/limits/AccountLimits.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { type ParkNews, watchParks } from "../../programs/limits/watchParks.ts"
import { limitWords } from "../../programs/why/waitsFor.ts"
import { Terminal } from "../framework/Terminal.ts"

/** `waits for the 5-hour limit of account a4tz9kq2mv, opens 2027-03-01 14:31:40 (in 1h 20m)` */
export const waitWords = (wait: LimitWait, now: number): string => `waits for ${limitWords(wait, now) ?? "a limit"}`

/** `41 spare tasks wait` */
export const waitingWords = (count: number, kind = ""): string =>
  count === 1 ? `1 ${kind}task waits` : `${count >= 1000 ? "1000 or more" : count} ${kind}tasks wait`

const tellPark = ({ task, wait }: ParkNews) =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const now = yield* Clock.currentTimeMillis
    yield* terminal.progress(null)
    yield* terminal.say(`${task.id} ${wait === null ? "continues" : `is parked: it ${waitWords(wait, now)}`}`)
  })

/** Tells on stderr when one of these tasks is parked, and when it continues, while `self` runs. */
export const tellingParks =
  (ids: ReadonlyArray<TaskId>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(self, Effect.zipRight(Effect.ignore(watchParks(ids, tellPark)), Effect.never))
