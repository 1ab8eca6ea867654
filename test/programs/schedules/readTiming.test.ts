/** Moments and zones as people and models write them; English ones are tested with the built program. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { InvalidInput } from "../../../src/domain/Errors.ts"
import { readLocalDate } from "../../../src/programs/schedules/readLocalDate.ts"
import { readMoment, readTiming, readZone } from "../../../src/programs/schedules/readTiming.ts"
import { LocalZone } from "../../../src/services/LocalZone.ts"

const berlin = DateTime.zoneUnsafeMakeNamed("Europe/Berlin")
const now = Date.parse("2027-01-15T12:00:00Z")

const moment = (text: string) => Effect.zipRight(TestClock.setTime(now), readMoment("at", text, berlin))

const refusing = { timezone: new InvalidInput({ field: "timezone", problem: "TZ is 'X'", example: null }) }

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

  it.effect("refuses --every 1M, which can mean minutes or months", () =>
    Effect.gen(function* () {
      const written = { cron: null, at: null, timezone: "UTC" }
      const error = yield* Effect.flip(readTiming({ ...written, every: "1M" }))
      assert.include(error.message, "1M")
      assert.deepInclude(yield* readTiming({ ...written, every: "1m" }), { kind: "every", everyMs: 60_000 })
    })
  )
})

describe("a process whose zone cannot be told", () => {
  it.effect("takes times with a zone, and no others", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readLocalDate("2027-07-01T09:00+02:00"), Date.parse("2027-07-01T07:00:00Z"))
      assert.strictEqual(yield* Effect.flip(readLocalDate("2027-07-01T09:00")), "TZ is 'X'")
      assert.strictEqual((yield* Effect.flip(readZone(null))).problem, "TZ is 'X'")
      assert.strictEqual((yield* readZone("Asia/Tokyo")).timezone, "Asia/Tokyo")
    }).pipe(Effect.provideService(LocalZone, refusing))
  )

  it.effect("has times without a zone where it can be told", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readLocalDate("2027-07-01T09:00"), Date.parse("2027-07-01T06:00:00Z"))
      assert.strictEqual((yield* readZone(null)).timezone, "+03:00")
    }).pipe(Effect.provideService(LocalZone, { timezone: Effect.succeed("+03:00") }))
  )
})
