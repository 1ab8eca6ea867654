/** How a report is asked for: dimensions in words, and the days of a zone. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { zoneOf } from "../../../src/domain/schedule/Zone.ts"
import { daysBetween, parseDimensions } from "../../../src/programs/usage/usageReport.ts"

const hour = 3_600_000

describe("the dimensions of a report", () => {
  it("are words and labels, up to three, each once", () => {
    assert.deepStrictEqual(parseDimensions("day, label:team"), Either.right(["day", "label:team"] as const))
    for (const wrong of ["", "days", "label:", "label:a b", "day,day", "day,agent,model,account"]) {
      assert.isTrue(Either.isLeft(parseDimensions(wrong)), wrong)
    }
    assert.deepStrictEqual(parseDimensions("modle"), Either.left("'modle' is not known; did you mean 'model'?"))
  })
})

describe("the days of a report", () => {
  it("are those of the zone, 23 and 25 hours long where the clock changes, and cut at the ends", () => {
    const berlin = Option.getOrThrow(zoneOf("Europe/Berlin"))
    const spring = daysBetween(berlin, Date.parse("2027-03-27T12:00Z"), Date.parse("2027-03-29T12:00Z"))
    assert.deepStrictEqual(
      spring.map(({ from, name, to }) => [name, (to - from) / hour]),
      [
        ["2027-03-27", 11],
        ["2027-03-28", 23],
        ["2027-03-29", 14]
      ]
    )
    const autumn = daysBetween(berlin, Date.parse("2027-10-30T22:00Z"), Date.parse("2027-10-31T23:00Z"))
    assert.deepStrictEqual(
      autumn.map(({ from, name, to }) => [name, (to - from) / hour]),
      [["2027-10-31", 25]]
    )
  })

  it("are not more than a report shows", () => {
    const utc = Option.getOrThrow(zoneOf("UTC"))
    assert.strictEqual(daysBetween(utc, 0, 10_000 * 24 * hour).length, 401)
  })
})
