/** Fire times of cron expressions, against a second library and at every kind of change of the clock. */
import { assert, describe, it } from "@effect/vitest"
import { Cron as Croner } from "croner"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { nextCron, parseCron } from "../../../src/domain/schedule/CronTime.ts"
import { offsetAt, zoneOf } from "../../../src/domain/schedule/Zone.ts"

const zone = (name: string) => Option.getOrThrow(zoneOf(name))
const cron = (expression: string) => Either.getOrThrow(parseCron(expression))

const times = (expression: string, name: string, from: string, count: number) => {
  const found: Array<string> = []
  let at: number | null = Date.parse(from)
  while (found.length < count && at !== null) {
    at = nextCron(cron(expression), zone(name), at)
    if (at !== null) found.push(new Date(at).toISOString().replace(":00.000Z", "Z"))
  }
  return found
}

const hour = 3_600_000

/** Where the rules of the libraries differ on purpose: the clock changes around here. */
const isCalm = (name: string, at: number) =>
  [-26, -3, -1, 1, 3, 26].every((hours) => offsetAt(zone(name), at + hours * hour) === offsetAt(zone(name), at))

const field = (low: number, high: number, names: ReadonlyArray<string> = []) => {
  const number = FastCheck.integer({ min: low, max: high })
  const one =
    names.length === 0 ? number.map(String) : FastCheck.oneof(number.map(String), FastCheck.constantFrom(...names))
  const range = FastCheck.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = FastCheck.integer({ min: 1, max: Math.max(2, Math.floor((high - low) / 2)) })
  const stepped = FastCheck.tuple(range, step).map(([span, by]) => `${span}/${by}`)
  const list = FastCheck.array(FastCheck.oneof(one, range), { minLength: 1, maxLength: 3 }).map((all) => all.join(","))
  return {
    any: FastCheck.constant("*"),
    some: FastCheck.oneof(one, range, stepped, list),
    step: step.map((by) => `*/${by}`)
  }
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ")
const weekdays = "sun mon tue wed thu fri sat".split(" ")

const expressions = FastCheck.tuple(
  FastCheck.option(FastCheck.oneof(field(0, 59).some, field(0, 59).step)),
  FastCheck.oneof(field(0, 59).any, field(0, 59).some, field(0, 59).step),
  FastCheck.oneof(field(0, 23).any, field(0, 23).some, field(0, 23).step),
  FastCheck.oneof(field(1, 31).any, field(1, 31).some),
  FastCheck.oneof(field(1, 12).any, field(1, 12, months).some, field(1, 12).step),
  FastCheck.oneof(field(0, 6).any, field(0, 6, weekdays).some)
).map(([seconds, ...rest]) => [...(seconds === null ? [] : [seconds]), ...rest].join(" "))

const zones = FastCheck.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "America/Santiago",
  "America/Havana",
  "Pacific/Auckland",
  "Pacific/Apia"
)

const moments = FastCheck.integer({ min: Date.UTC(1995, 0, 1) / 1000, max: Date.UTC(2100, 0, 1) / 1000 }).map(
  (s) => s * 1000
)

describe("the next time of a cron expression", () => {
  it("is that of another library wherever no clock changes", () => {
    let compared = 0
    FastCheck.assert(
      FastCheck.property(expressions, zones, moments, (expression, name, from) => {
        const ours = nextCron(cron(expression), zone(name), from)
        const theirs =
          new Croner(expression, { timezone: name, legacyMode: true }).nextRun(new Date(from))?.getTime() ?? null
        if (![from, ours ?? from, theirs ?? from].every((at) => isCalm(name, at))) return
        compared += 1
        assert.strictEqual(ours, theirs, `${expression} in ${name} after ${new Date(from).toISOString()}`)
      }),
      { numRuns: 500 }
    )
    assert.isAbove(compared, 400)
  })

  const cases: ReadonlyArray<
    readonly [what: string, expression: string, zone: string, from: string, expected: ReadonlyArray<string>]
  > = [
    [
      "a time that the clock skips is moved by as much as the clock was",
      "30 2 * * *",
      "America/New_York",
      "2026-03-07T12:00:00Z",
      ["2026-03-08T07:30Z", "2026-03-09T06:30Z"]
    ],
    [
      "each of several times in the skipped hour comes",
      "*/20 2 * * *",
      "America/New_York",
      "2026-03-08T05:00:00Z",
      ["2026-03-08T07:00Z", "2026-03-08T07:20Z", "2026-03-08T07:40Z", "2026-03-09T06:00Z"]
    ],
    [
      "two times that fall together are one",
      "30 2,3 * * *",
      "America/New_York",
      "2026-03-08T05:00:00Z",
      ["2026-03-08T07:30Z", "2026-03-09T06:30Z"]
    ],
    [
      "times that were moved mix with those that were not",
      "15,45 2-3 * * *",
      "America/New_York",
      "2026-03-08T05:00:00Z",
      ["2026-03-08T07:15Z", "2026-03-08T07:45Z", "2026-03-09T06:15Z"]
    ],
    [
      "a time that comes twice is the first one",
      "30 1 * * *",
      "America/New_York",
      "2026-10-31T12:00:00Z",
      ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]
    ],
    [
      "and is not moved into the past by one who asks in between",
      "30 1 * * *",
      "America/New_York",
      "2026-11-01T06:10:00Z",
      ["2026-11-02T06:30Z"]
    ],
    [
      "every hour means elapsed time where an hour is skipped",
      "30 * * * *",
      "America/New_York",
      "2026-03-08T06:00:00Z",
      ["2026-03-08T06:30Z", "2026-03-08T07:30Z", "2026-03-08T08:30Z"]
    ],
    [
      "and where an hour comes twice",
      "*/30 * * * *",
      "America/New_York",
      "2026-11-01T05:00:00Z",
      ["2026-11-01T05:30Z", "2026-11-01T06:00Z", "2026-11-01T06:30Z", "2026-11-01T07:00Z"]
    ],
    [
      "a midnight that is skipped",
      "0 0 * * *",
      "Africa/Cairo",
      "2026-04-23T00:00:00Z",
      ["2026-04-23T22:00Z", "2026-04-24T21:00Z"]
    ],
    [
      "a midnight hour that comes twice",
      "30 0 * * *",
      "America/Havana",
      "2026-10-31T12:00:00Z",
      ["2026-11-01T04:30Z", "2026-11-02T05:30Z"]
    ],
    [
      "half an hour that comes twice",
      "*/15 * * * *",
      "Australia/Lord_Howe",
      "2026-04-04T14:30:00Z",
      ["2026-04-04T14:45Z", "2026-04-04T15:00Z", "2026-04-04T15:15Z", "2026-04-04T15:30Z"]
    ],
    [
      "a whole day that is skipped",
      "0 12 * * *",
      "Pacific/Apia",
      "2011-12-29T00:00:00Z",
      ["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"]
    ],
    [
      "leap days, and the year that has none",
      "0 0 29 2 *",
      "UTC",
      "2095-01-01T00:00:00Z",
      ["2096-02-29T00:00Z", "2104-02-29T00:00Z"]
    ],
    [
      "the day of the month and the weekday: either",
      "0 0 13 * fri",
      "UTC",
      "2026-02-01T00:00:00Z",
      ["2026-02-06T00:00Z", "2026-02-13T00:00Z", "2026-02-20T00:00Z"]
    ],
    [
      "a leap day that has to be a weekend",
      "0 0 29 2 */6",
      "UTC",
      "2032-03-01T00:00:00Z",
      ["2048-02-29T00:00Z", "2060-02-29T00:00Z"]
    ]
  ]
  for (const [what, expression, name, from, expected] of cases) {
    it(what, () => assert.deepStrictEqual(times(expression, name, from, expected.length), expected))
  }

  it("is none where no such day exists", () => {
    assert.isNull(nextCron(cron("0 0 30 2 *"), zone("UTC"), Date.parse("2026-01-01")))
  })

  it("is always later, and never skips one that another start finds, through every change of the clock", () => {
    FastCheck.assert(
      FastCheck.property(
        expressions,
        zones,
        moments,
        FastCheck.integer({ min: 0, max: 400 * 24 }),
        (expression, name, from, ahead) => {
          const parsed = cron(expression)
          const next = nextCron(parsed, zone(name), from)
          if (next === null) return
          assert.isAbove(next, from)
          // Whoever asks later, but before that time, is told the same.
          const between = Math.min(from + ahead * hour, next - 1)
          assert.strictEqual(
            nextCron(parsed, zone(name), between),
            next,
            `${expression} in ${name} after ${new Date(from).toISOString()}`
          )
        }
      ),
      { numRuns: 500 }
    )
  })
})

describe("an expression that cannot be read", () => {
  const problem = (expression: string) => Either.getOrThrow(Either.flip(parseCron(expression)))

  it("is told by its field", () => {
    assert.include(problem("60 * * * *"), "'60' is not for the minute: it takes 0 to 59")
    assert.include(problem("0 9 * * mun"), "'mun' is not for the weekday")
    assert.include(problem("0 0 0 32 * *"), "'32' is not for the day of the month")
    assert.include(problem("* * *"), "has 3 fields: write five")
    assert.include(problem("@reboot"), "@daily")
    assert.include(problem(""), "0 fields")
  })

  it("and one that can takes names, words and any case", () => {
    for (const [one, other] of [
      ["@daily", "0 0 * * *"],
      ["0 9 * JAN-Mar MON-fri", "0 9 * 1-3 1-5"],
      ["0 9 * * 7", "0 0 9 * * sun"]
    ] as const) {
      const from = Date.parse("2026-01-01")
      assert.strictEqual(nextCron(cron(one), zone("UTC"), from), nextCron(cron(other), zone("UTC"), from))
    }
  })
})
