/** The strict reading of command lines. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { parse, type Shape } from "../../src/cli/framework/CommandLine.ts"

const shape = (names: ReadonlyArray<string>, value: string | null, repeated = false): Shape => ({
  names,
  value,
  repeated,
  optional: true
})
const shapes = [
  shape(["--foreground", "-f"], null),
  shape(["--json"], null),
  shape(["--lines", "-n"], "number"),
  shape(["--label", "-l"], "key=value", true)
]

const read = (...words: ReadonlyArray<string>) => {
  const result = parse(words, shapes, "beat run")
  return Either.isRight(result)
    ? { values: Object.fromEntries(result.right.values), positionals: result.right.positionals }
    : { problem: result.left.problem, hint: result.left.hint }
}

describe("a command line", () => {
  it("takes options before, between and after arguments", () => {
    const expected = { values: { "--lines": ["5"], "--foreground": [] }, positionals: ["a", "b"] }
    assert.deepStrictEqual(read("-n", "5", "a", "-f", "b"), expected)
    assert.deepStrictEqual(read("a", "--lines=5", "b", "--foreground"), expected)
  })

  it("takes short options together and values attached", () => {
    assert.deepStrictEqual(read("-fn20"), { values: { "--foreground": [], "--lines": ["20"] }, positionals: [] })
    assert.deepStrictEqual(read("-fl", "a=b", "-lc=d"), {
      values: { "--foreground": [], "--label": ["a=b", "c=d"] },
      positionals: []
    })
  })

  it("keeps what follows the first = of a value", () => {
    assert.deepStrictEqual(read("--label=a=b=c").values, { "--label": ["a=b=c"] })
    assert.deepStrictEqual(read("--label=").values, { "--label": [""] })
  })

  it("treats a dash alone as an argument", () => {
    assert.deepStrictEqual(read("-").positionals, ["-"])
  })

  it("refuses unknown options and names the nearest", () => {
    assert.strictEqual(read("--tpyo").problem, "Unknown option '--tpyo'")
    assert.include(read("--foregruond").hint, "'--foreground'")
    assert.include(read("--fore").hint, "'--foreground'")
    assert.strictEqual(read("-x").problem, "Unknown option '-x'")
    assert.strictEqual(read("-fx").problem, "Unknown option '-fx'")
    assert.strictEqual(read("--LINES", "3").problem, "Unknown option '--LINES'")
  })

  it("refuses an option without its value, and one given twice", () => {
    assert.include(read("--lines").problem, "needs a value")
    assert.include(read("--lines", "--json").problem, "needs a value")
    assert.include(read("--lines", "--", "5").problem, "needs a value")
    assert.include(read("-n", "1", "--lines", "2").problem, "twice")
    assert.include(read("-n1", "-fn2").problem, "twice")
  })

  it("takes a value that looks like an unknown option", () => {
    assert.deepStrictEqual(read("--label", "--x=1").values, { "--label": ["--x=1"] })
  })

  it("leaves everything after -- alone", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.string()), (words) => {
        assert.deepStrictEqual(read("-f", "--", ...words), { values: { "--foreground": [] }, positionals: words })
      })
    )
    assert.deepStrictEqual(read("--", "--help", "--", "-f").positionals, ["--help", "--", "-f"])
  })

  it("never loses a word", () => {
    const word = FastCheck.string().filter((text) => !text.startsWith("-"))
    FastCheck.assert(
      FastCheck.property(FastCheck.array(word), (words) => {
        assert.deepStrictEqual(read(...words, "--json").positionals, words)
      })
    )
  })
})
