/**
 * Expressions that meet what agents print look at each character a fixed number of times. Where one looked at all that follows for
 * each of these characters, the test would take minutes and meet the bound of every test.
 */
import { assert, describe, it } from "@effect/vitest"
import { apiErrorIn } from "../../src/layers/agents/adapters/ClaudeStream.ts"
import { loggedFailure } from "../../src/layers/agents/adapters/opencode.ts"
import { mask } from "../../src/layers/agents/reading/Secrets.ts"
import { withReason } from "../../src/programs/worker/autoRetry.ts"
import { planIn } from "../../src/text/PlanText.ts"
import { sanitize, showControls } from "../../src/text/Sanitize.ts"

const times = 200_000

describe("a long text", () => {
  const introducers: ReadonlyArray<string> = [
    ...["\u0090", "\u0098", "\u009b", "\u009d", "\u009e", "\u009f", "\u001b"],
    ...[
      "\u001b]",
      "\u001bP",
      "\u001bX",
      "\u001b^",
      "\u001b_",
      "\u001b[",
      "\u001b[0",
      "\u001b ",
      "\u009b0;",
      "\u009d\u009b"
    ]
  ]
  for (const introducer of introducers) {
    it(`of ${JSON.stringify(introducer)} alone is sanitized`, () => {
      assert.strictEqual(sanitize(`a${introducer.repeat(times)}\nb`).slice(-2), "\nb")
    })
  }

  it("after one introducer is sanitized", () => {
    for (const filler of ["0", " ", "0 ", "x"]) {
      for (const start of ["\u009b", "\u001b[", "\u001b", "\u009d", "\u001b]"]) {
        assert.notInclude(sanitize(start + filler.repeat(times)), "\u001b")
      }
    }
  })

  it("of starts of a token is masked", () => {
    assert.include(mask(`${"-eyJ".repeat(times)} end`), "end")
    assert.strictEqual(mask("a-eyJhbGciOiJI.eyJzdWIiOiIx.abc"), "a-eyJ***")
    assert.strictEqual(mask("eyJhb-GciOiJI_x.eyJzdWIiOiIx"), "eyJ***")
  })

  it("of spaces in an error, of fences in a plan and of words of a log is read", () => {
    const spaces = " ".repeat(times)
    assert.strictEqual(apiErrorIn(`[API Error: a${spaces}b]`)?.length, times + 2)
    assert.strictEqual(apiErrorIn(" [API Error: 429 too many]\n"), "429 too many")
    assert.isNull(apiErrorIn("the text [API Error: 429]"))
    assert.include(planIn("```yaml\n".repeat(times)), "```yaml")
    assert.isNull(loggedFailure('message="stream error" '.repeat(times)))
    const failed = { error: `a${spaces}b .` } as Parameters<typeof withReason>[0]
    assert.include(withReason(failed, "It is retried.").error ?? "", "b. It is retried.")
  })
})

describe("a control string without an end on its line", () => {
  it("hides no text of another line", () => {
    for (const start of ["\u009d", "\u0090", "\u001b]", "\u001bP", "\u001b_"]) {
      assert.strictEqual(sanitize(`${start}0;one\ntwo\u0007three`), "0;one\ntwothree")
      assert.strictEqual(sanitize(`${start}0;title\u0007shown`), "shown")
    }
  })
})

describe("a text for review", () => {
  it("shows what it does not do, and leaves nothing out", () => {
    assert.strictEqual(
      showControls("\u001b]0;PWN\u0007\u001b[2J\tx\r\n\u009b8m\u202e\u007fé"),
      "^[]0;PWN^G^[[2J\tx^M\n<U+009B>8m<U+202E>^?é"
    )
  })
})
