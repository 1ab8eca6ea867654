/** Moments and zones as people and models write them. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { InvalidInput } from "../../../src/domain/Errors.ts"
import { type Direction, readMoment } from "../../../src/programs/schedules/readMoment.ts"
import { readTime, readTiming, writtenTiming } from "../../../src/programs/schedules/readTiming.ts"
import { readZone } from "../../../src/programs/schedules/readZone.ts"
import { LocalZone } from "../../../src/services/LocalZone.ts"

const berlin = DateTime.zoneUnsafeMakeNamed("Europe/Berlin")
const now = Date.parse("2027-01-15T12:00:00Z")

const moment = (text: string) => Effect.zipRight(TestClock.setTime(now), readTime("at", text, berlin))

const local = (text: string, direction: Direction = "future") => readMoment(text, { direction, now, zone: null })

const refusing = {
  timezone: new InvalidInput({ field: "timezone", problem: "TZ is 'X'", example: null }),
  withoutVariable: Effect.succeed(null)
}

describe("moments", () => {
  it.effect.each([
    ["2h", "2027-01-15T14:00:00Z"],
    ["2027-07-01", "2027-06-30T22:00:00Z"],
    ["2027-07-01T09:00", "2027-07-01T07:00:00Z"],
    ["2027-07-01 9:00", "2027-07-01T07:00:00Z"],
    ["2027-07-01T09:00:30.5Z", "2027-07-01T09:00:30.500Z"],
    ["2027-07-01T09:00-0330", "2027-07-01T12:30:00Z"],
    ["2028-02-29T09:00+02:00", "2028-02-29T07:00:00Z"],
    ["2027-03-28T02:30", "2027-03-28T01:30:00Z"]
  ] as const)("takes %s", ([text, at]) =>
    Effect.map(moment(text), (found) => assert.strictEqual(new Date(found).getTime(), Date.parse(at)))
  )

  it.effect.each([
    "2027-02-29",
    "2027-02-30T09:00",
    "2027-04-31T09:00+02:00",
    "2027-13-01",
    "2027-00-10",
    "2027-01-01T24:00",
    "2027-01-01T09:60Z",
    "2027-01-01T09:00+25:00",
    "01.02.2027",
    "1/2/2027",
    "1-2-27",
    "31.04.2027"
  ])("refuses '%s'", (text) =>
    Effect.map(Effect.flip(moment(text)), (error) => assert.match(error.message, /is not a time|two days/))
  )

  it.effect.each([
    ["every day", { kind: "every", everyMs: 86_400_000 }],
    ["Every hour", { kind: "every", everyMs: 3_600_000 }],
    ["every 15 minutes", { kind: "every", everyMs: 900_000 }],
    ["every 2 weeks", { kind: "every", everyMs: 14 * 86_400_000 }],
    ["every 15m", { kind: "every", everyMs: 900_000 }],
    ["daily", { kind: "cron", expression: "@daily" }],
    ["Hourly", { kind: "cron", expression: "@hourly" }],
    ["weekly", { kind: "cron", expression: "@weekly" }],
    ["@daily", { kind: "cron", expression: "@daily" }]
  ] as const)("takes '%s' as a timing", ([text, timing]) =>
    Effect.map(readTiming(writtenTiming(text, "UTC")), (found) => assert.deepInclude(found, timing))
  )

  it.effect("takes the words of options too: --every day, --cron daily", () =>
    Effect.gen(function* () {
      const none = { cron: null, every: null, at: null, timezone: "UTC" }
      assert.deepInclude(yield* readTiming({ ...none, every: "day" }), { everyMs: 86_400_000 })
      assert.deepInclude(yield* readTiming({ ...none, every: "every 2 hours" }), { everyMs: 7_200_000 })
      assert.deepInclude(yield* readTiming({ ...none, cron: "daily" }), { expression: "@daily" })
      for (const every of ["other day", "weekday", "dayly"])
        assert.include((yield* Effect.flip(readTiming({ ...none, every }))).message, "is not a length of time")
    })
  )

  it.effect("refuses a moment that has passed, with the word for it: now, last friday", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      for (const at of ["now", "last friday", "0s"]) {
        const error = yield* Effect.flip(readTiming({ cron: null, every: null, at, timezone: "UTC" }))
        assert.include(error.message, `'${at}' is in the past`)
      }
    })
  )

  it.effect("takes GMT for a zone, and not an abbreviation that means another zone to ICU", () =>
    Effect.gen(function* () {
      const written = { every: null, at: null, cron: "daily" }
      for (const timezone of ["GMT", "UTC", "CET", "EST", "Europe/London"])
        assert.deepInclude(yield* readTiming({ ...written, timezone }), { timezone })
      for (const timezone of ["BST", "bst", "AST", "NST", "SST", "ECT", "ART", "ACT", "MIT"])
        assert.include((yield* Effect.flip(readTiming({ ...written, timezone }))).message, "is not a time zone")
    })
  )

  it.effect("refuses --every 1M, which can mean minutes or months", () =>
    Effect.gen(function* () {
      const written = { cron: null, at: null, timezone: "UTC" }
      const error = yield* Effect.flip(readTiming({ ...written, every: "1M" }))
      assert.include(error.message, "1M")
      assert.deepInclude(yield* readTiming({ ...written, every: "1m" }), { kind: "every", everyMs: 60_000 })
    })
  )
})

describe("moments in words", () => {
  const inBerlin = (direction: Direction) => (text: string) => readMoment(text, { direction, now, zone: berlin })

  it.effect.each([
    ["future", "tomorrow 9am", "2027-01-16T08:00:00Z"],
    ["future", "at 9am", "2027-01-16T08:00:00Z"],
    ["future", "9pm", "2027-01-15T20:00:00Z"],
    ["future", "monday at noon", "2027-01-18T11:00:00Z"],
    ["future", "in 2 hours", "2027-01-15T14:00:00Z"],
    ["past", "yesterday 9am", "2027-01-14T08:00:00Z"],
    ["past", "9pm", "2027-01-14T20:00:00Z"],
    ["past", "9am", "2027-01-15T08:00:00Z"],
    ["past", "monday at noon", "2027-01-11T11:00:00Z"],
    ["past", "saturday at noon", "2027-01-09T11:00:00Z"],
    ["past", "2 hours ago", "2027-01-15T10:00:00Z"],
    ["past", "90m", "2027-01-15T10:30:00Z"],
    ["future", "next friday", "2027-01-22T11:00:00Z"],
    ["future", "last friday", "2027-01-08T11:00:00Z"],
    ["future", "9am last monday", "2027-01-11T08:00:00Z"],
    ["future", "last month", "2026-12-15T12:00:00Z"],
    ["past", "last friday", "2027-01-08T11:00:00Z"],
    ["past", "next monday at noon", "2027-01-18T11:00:00Z"]
  ] as const)("takes, in the %s, '%s'", ([direction, text, at]) =>
    Effect.map(inBerlin(direction)(text), (found) => assert.strictEqual(new Date(found).getTime(), Date.parse(at)))
  )

  it.effect.each(["monday to friday 9am", "9am-5pm", "tomorrow 9am - 10am", "jan 20 - jan 25"])(
    "refuses '%s', which is two times, in the future and in the past",
    (text) =>
      Effect.forEach(["future", "past"] as const, (direction) =>
        Effect.map(Effect.flip(inBerlin(direction)(text)), (problem) => assert.include(problem, "is not a time"))
      )
  )

  it.effect.each(["soon", "9am or so", "12", "2027", "1M", ""])("refuses '%s'", (text) =>
    Effect.map(Effect.flip(inBerlin("past")(text)), (problem) => assert.match(problem, /is not a time; use e.g. 2h/))
  )
})

describe("a process whose zone cannot be told", () => {
  it.effect("takes times with a zone, and no others", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* local("2027-07-01T09:00+02:00"), Date.parse("2027-07-01T07:00:00Z"))
      assert.strictEqual(yield* Effect.flip(local("2027-07-01T09:00")), "TZ is 'X'")
      assert.strictEqual((yield* Effect.flip(readZone(null))).problem, "TZ is 'X'")
      assert.strictEqual((yield* readZone("Asia/Tokyo")).timezone, "Asia/Tokyo")
    }).pipe(Effect.provideService(LocalZone, refusing))
  )

  it.effect("has times without a zone where it can be told", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* local("2027-07-01T09:00"), Date.parse("2027-07-01T06:00:00Z"))
      assert.strictEqual(yield* local("2027-07-01"), Date.parse("2027-06-30T21:00:00Z"))
      assert.strictEqual((yield* readZone(null)).timezone, "+03:00")
    }).pipe(
      Effect.provideService(LocalZone, { timezone: Effect.succeed("+03:00"), withoutVariable: Effect.succeed(null) })
    )
  )
})
