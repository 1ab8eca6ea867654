/**
 * Cron expressions: read with errors that name the field, and their times in any zone through changes of the clock.
 *
 * `effect/Cron` (3.22) reads and matches the fields. Its `next` was weighed: asked within an hour that comes twice it returns a
 * time in the past; of "every 15 minutes" it leaves out the second of these hours, and all but the first time of an hour
 * that is skipped; it gives up after 27 years. `croner` (11, 34 KB) has other rules for these hours and names no field; it is
 * the oracle of a property test. Use `Cron.next` when it passes that test. docs/decisions/0005-own-cron-times.md
 */
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { fromLocal, offsetAt, transitionBetween, type Zone } from "./Zone.ts"

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

const fields: ReadonlyArray<readonly [name: string, holds: string]> = [
  ["second", "0 to 59"],
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of the month", "1 to 31"],
  ["month", "1 to 12 or jan to dec"],
  ["weekday", "0 to 7 or sun to sat"]
]

/** Fields are matched in UTC; what the clock of a zone makes of it is decided here. */
const utc = DateTime.zoneMakeOffset(0)

const inField = (word: string, index: number): Either.Either<void, string> => {
  const words = fields.map((_, at) => (at === index ? word : "*")).join(" ")
  const [name, holds] = fields[index] ?? ["field", ""]
  return Either.mapBoth(Cron.parse(words, utc), {
    onLeft: () => `'${word}' is not for the ${name}: it takes ${holds}, as 5, 1-5, 1,3 or */2`,
    onRight: () => undefined
  })
}

/** Five fields, six with seconds first, or a word like `@daily`. What is wrong, and where, is said in a sentence. */
export const parseCron = (expression: string): Either.Either<Cron.Cron, string> =>
  Either.gen(function* () {
    const written = expression.trim().toLowerCase()
    const expanded = Object.hasOwn(macros, written) ? (macros[written] ?? written) : written
    if (expanded.startsWith("@")) {
      return yield* Either.left(`'${expression}' is not known: write one of ${Object.keys(macros).join(", ")}`)
    }
    const words = expanded.split(/\s+/).filter((word) => word !== "")
    if (words.length !== 5 && words.length !== 6) {
      const many = `${words.length} field${words.length === 1 ? "" : "s"}`
      return yield* Either.left(
        `'${expression}' has ${many}: write five (minute hour day month weekday), or six with seconds before them`
      )
    }
    for (const [at, word] of words.entries()) yield* inField(word, at + 6 - words.length)
    return yield* Either.mapLeft(Cron.parse(words.join(" "), utc), ({ message }) => message)
  })

/** `effect/Cron` gives up after 10,000 steps, which is 27 years where it goes day by day. */
const stretchMs = 25 * 365 * 86_400_000
const stretches = 4

/** The next time that fits, with the clock on the wall written as UTC; null when none ever does. */
const nextLocal = (cron: Cron.Cron, local: number): number | null => {
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const found = Either.try(() => Cron.next(cron, local + stretch * stretchMs).getTime())
    if (Either.isRight(found)) return found.right
  }
  return null
}

const hour = 3_600_000

/** Every hour: the expression runs with elapsed time, so a skipped hour is not there and one that comes twice counts twice. */
const nextElapsed = (cron: Cron.Cron, zone: Zone, after: number): number | null => {
  let from = after
  while (true) {
    const offset = offsetAt(zone, from)
    const local = nextLocal(cron, from + offset)
    if (local === null) return null
    const at = local - offset
    // Local times that come again just after a change are smaller than those already passed.
    const near = from + 3 * hour
    const until = offsetAt(zone, near) !== offset ? near : at
    if (offsetAt(zone, until) === offset) return at
    const change = transitionBetween(zone, from, until)
    if (at < change) return at
    const next = offsetAt(zone, change)
    const again = nextLocal(cron, change + next - 1000)
    if (again === null) return null
    if (offsetAt(zone, again - next) === next) return again - next
    from = change
  }
}

/** Certain hours: each time of the day once. */
const nextNamed = (cron: Cron.Cron, zone: Zone, after: number): number | null => {
  const offset = offsetAt(zone, after)
  const firstAfter = (from: number): number | null => {
    let local = nextLocal(cron, from)
    while (local !== null && fromLocal(zone, local) <= after) local = nextLocal(cron, local)
    return local === null ? null : fromLocal(zone, local)
  }
  const found = firstAfter(after + offset)
  // What the clock skipped a moment ago may be still to come.
  const skipped = offset - offsetAt(zone, after - 24 * hour)
  if (skipped <= 0) return found
  const late = firstAfter(after + offset - skipped)
  return found === null || late === null ? (found ?? late) : Math.min(found, late)
}

/** The first time after `after` (milliseconds since 1970); null when there is none in the next hundred years. */
export const nextCron = (cron: Cron.Cron, zone: Zone, after: number): number | null =>
  cron.hours.size === 0 || cron.hours.size === 24 ? nextElapsed(cron, zone, after) : nextNamed(cron, zone, after)
