/** Lengths of time, moments, sizes and pairs as people write them. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { parsePair, parseSize } from "../../src/cli/input/Values.ts"
import { parseDuration } from "../../src/domain/Duration.ts"
import { bytes, relative, shortSpan, span } from "../../src/text/FormatDuration.ts"

const value = <A>(result: Either.Either<A, string>): A | string => Either.merge(result)

describe("durations", () => {
  it.each([
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["90s", 90_000],
    ["500ms", 500],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["0", 0],
    [" 5H ", 18_000_000]
  ])("reads %s", (text, expected) => assert.strictEqual(value(parseDuration(text)), expected))

  it.each(["", "x", "30", "-5m", "5 m", "1h30", "m", "1e3s", "30min", "1M", "1h30M", " 5M "])("refuses %s", (text) => {
    const result = parseDuration(text)
    assert.isTrue(Either.isLeft(result))
    if (Either.isLeft(result) && text !== "") assert.match(result.left, /write/)
  })

  it.each(["0.0001s", "0.4ms", "0.000001m", "0.1ms0.1ms"])("is not zero, which means no limit, for %s", (text) =>
    assert.strictEqual(value(parseDuration(text)), 1)
  )

  it.each(["0s", "0ms", "0h0m"])("is zero for %s", (text) => assert.strictEqual(value(parseDuration(text)), 0))

  it("is at most a hundred years: a longer one leads out of the calendar", () => {
    assert.strictEqual(value(parseDuration("36525d")), 36_525 * 86_400_000)
    for (const text of ["36526d", "100000000d", "8640000000000s", "9007199254740993ms", `${"9".repeat(400)}h`]) {
      assert.strictEqual(value(parseDuration(text)), `'${text}' is too long`)
    }
  })

  it("reads back what it shows", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 1, max: 60 * 24 * 7 }), (minutes) => {
        const shown = span(minutes * 60_000).replaceAll(" ", "")
        const back = value(parseDuration(shown))
        // Two units at most: nothing is lost but what is shorter than the second.
        assert.isTrue(typeof back === "number" && back <= minutes * 60_000 && minutes * 60_000 - back < 86_400_000)
      })
    )
  })
})

describe("sizes", () => {
  it.each([
    ["10MB", 10_000_000],
    ["512k", 512_000],
    ["1GiB", 1_073_741_824],
    ["4096", 4096],
    ["1.5 kb", 1500]
  ])("reads %s", (text, expected) => assert.strictEqual(value(parseSize(text)), expected))
  it.each(["9007199254740993", "9007199255GB", "99999999999999999999GiB", "9".repeat(400)])(
    "is too large: %s",
    (text) => assert.strictEqual(value(parseSize(text)), `'${text}' is too large`)
  )
  it.each(["", "MB", "10XB", "-1", "1,5MB"])("refuses %s", (text) => assert.isTrue(Either.isLeft(parseSize(text))))
})

describe("pairs", () => {
  it("splits at the first =", () => {
    assert.deepStrictEqual(value(parsePair("A=b=c")), ["A", "b=c"])
    assert.deepStrictEqual(value(parsePair("A=")), ["A", ""])
    assert.isTrue(Either.isLeft(parsePair("=a")))
    assert.isTrue(Either.isLeft(parsePair("a")))
  })
})

describe("ages", () => {
  it("are short", () => {
    assert.strictEqual(span(0), "0ms")
    assert.strictEqual(span(200_000), "3m 20s")
    assert.strictEqual(shortSpan(7_500_000), "2h")
    assert.strictEqual(relative(1000, 181_000), "3m ago")
    assert.strictEqual(relative(7_201_000, 1000), "in 2h")
    assert.strictEqual(relative(7_200_000, 60_000), "in 1h 59m")
    assert.strictEqual(bytes(999), "999 B")
    assert.strictEqual(bytes(3_400_000), "3.4 MB")
    assert.strictEqual(bytes(999_999), "1.0 MB")
  })
})
