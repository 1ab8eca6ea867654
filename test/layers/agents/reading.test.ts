/** The parts the readers share: classes of failure, reset times, secrets, bounds. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { cutEnd, cutMiddle, oneLine } from "../../../src/layers/agents/reading/Bounds.ts"
import { classify } from "../../../src/layers/agents/reading/Failure.ts"
import { instant, resetIn } from "../../../src/layers/agents/reading/ResetTime.ts"
import { mask } from "../../../src/layers/agents/reading/Secrets.ts"
import { toolCall } from "../../../src/layers/agents/reading/Show.ts"

describe("classify", () => {
  const table: ReadonlyArray<readonly [string, string, (number | undefined)?, string?]> = [
    ["auth", "Invalid API key · Fix external API key", 401, "authentication_error"],
    ["auth", "Not logged in · Please run /login"],
    ["auth", "Invalid auth method selected."],
    ["auth", "unexpected status 401 Unauthorized: nope"],
    ["rate", "API Error: Request rejected (429) · slow down", 429, "rate_limit_error"],
    ["rate", "exceeded retry limit, last status: 429 Too Many Requests"],
    ["usage-limit", "You've hit your 5-hour limit · resets 8:31am (UTC)", 429, "rate_limit_error"],
    ["usage-limit", "You’ve hit your usage limit. Visit x to purchase more credits or try again at 8:01 AM."],
    ["usage-limit", "You have exhausted your daily quota on this model."],
    ["budget", "Credit balance is too low", 400],
    ["budget", "Quota exceeded. Check your plan and billing details.", 429],
    ["budget", "You've hit your org's monthly spend limit", 429],
    ["budget", "Insufficient Balance", 402],
    [
      "budget",
      "AI_APICallError: Insufficient balance. Manage your billing here: https://opencode.ai/workspace/x/billing"
    ],
    ["budget", "Insufficient account balance"],
    ["budget", "Sorry, your account balance is insufficient", 403],
    ["budget", "Your account is suspended due to insufficient balance, please recharge", 429],
    ["budget", "余额不足或无可用资源包,请充值", 429],
    ["budget", "something", 401, "CreditsError"],
    ["budget", "something", 429, "insufficient_balance"],
    ["budget", "error: insufficient_funds_error"],
    ["budget", "Your prepayment credits are depleted.", 429],
    ["budget", "This request requires more credits, or fewer max_tokens."],
    ["budget", "Your newly created team doesn't have any credits or licenses yet.", 403],
    ["overloaded", "The load balancer has no healthy backend", 503],
    ["unknown", "insufficient balancers in the pool"],
    ["unknown", "the parentheses are not balanced enough"],
    ["unknown", "rebalance is empty"],
    ["auth", "You do not have any creditentials", 401],
    ["budget", "Reached maximum budget ($0.05)", undefined, "error_max_budget_usd"],
    ["overloaded", "API Error: 529 Overloaded. This is a server-side issue"],
    ["overloaded", "Selected model is at capacity. Please try a different model."],
    ["overloaded", "something", 503],
    ["network", "API Error: Connection refused — (ECONNREFUSED)", undefined, "connection_failed"],
    ["network", "Can't reach the API server — check (EAI_AGAIN)"],
    ["network", "Connection failed: error sending request"],
    ["model", "There's an issue with the selected model (x)", 404],
    ["model", "not there", 404],
    ["max-turns", "Reached maximum number of turns (2)", undefined, "error_max_turns"],
    ["unknown", "the dog ate it"]
  ]
  for (const [expected, message, status, code] of table) {
    it(`${expected}: ${message}`, () => {
      const signs = { message, status, codes: [code] }
      assert.strictEqual(classify(signs, "unknown"), expected)
    })
  }
})

describe("reset times", () => {
  const now = Date.UTC(2026, 10, 23, 7, 31, 20)
  const utc = (text: string) => {
    const at = resetIn(text, now, "UTC")
    return at === null ? null : new Date(at).toISOString()
  }
  const table: ReadonlyArray<readonly [string, string | null]> = [
    ["You've hit your limit · resets 8:31am (UTC)", "2026-11-23T08:32:00.000Z"],
    ["resets 7am (UTC)", "2026-11-23T07:00:00.000Z"],
    ["resets 4am (UTC)", "2026-11-24T04:00:00.000Z"],
    ["resets at 12am (UTC)", "2026-11-24T00:00:00.000Z"],
    ["resets 12:15pm (UTC)", "2026-11-23T12:16:00.000Z"],
    ["resets 2:30pm (Europe/Paris)", "2026-11-23T13:31:00.000Z"],
    ["resets 2am (America/New_York)", "2026-11-23T07:00:00.000Z"],
    ["resets 11pm (America/New_York)", "2026-11-24T04:00:00.000Z"],
    ["resets 9am (Asia/Tokyo)", "2026-11-24T00:00:00.000Z"],
    ["resets Nov 27, 3pm (UTC)", "2026-11-27T15:00:00.000Z"],
    ["resets Jan 2 at 3pm (UTC)", "2027-01-02T15:00:00.000Z"],
    ["resets Nov 23, 7:27am (UTC)", "2026-11-23T07:28:00.000Z"],
    ["resets Nov 20, 3pm (UTC)", "2026-11-20T15:00:00.000Z"],
    ["try again at Nov 20th, 2026 8:01 AM (UTC).", "2026-11-20T08:02:00.000Z"],
    ["try again at Nov 24th, 2026 8:01 AM (UTC).", "2026-11-24T08:02:00.000Z"],
    ["try again in 2 hours 5 minutes", "2026-11-23T09:36:20.000Z"],
    ["Your quota will reset after 1h2m5s.", "2026-11-23T08:33:25.000Z"],
    ["try again in 3 days, 4 hours and 12 minutes.", "2026-11-26T11:43:20.000Z"],
    ["Please try again in 20s.", "2026-11-23T07:31:40.000Z"],
    ["Claude AI usage limit reached|1795422680", "2026-11-23T08:31:20.000Z"],
    ["You will regain access on 2026-12-01 at 00:00 UTC.", "2026-12-01T00:00:00.000Z"],
    ["Your limit will reset at 2026-12-01 04:18:09", "2026-12-01T04:18:09.000Z"],
    ["resets at 2026-12-01T04:18:09Z", "2026-12-01T04:18:09.000Z"],
    ["resets at 2026-12-01T04:18:09.123+08:00.", "2026-11-30T20:18:09.000Z"],
    ["Reset time: `2026-12-01 04:18 (Asia/Tokyo)`", "2026-11-30T19:19:00.000Z"],
    ["Your quota resets on 2026-12-01.", "2026-12-01T00:00:00.000Z"],
    ["resets Dec 15", "2026-12-15T00:00:00.000Z"],
    ["resets on December 15, 2026", "2026-12-15T00:00:00.000Z"],
    ["resets December 15th at 9am", "2026-12-15T09:00:00.000Z"],
    ["resets 9am on Dec 15 (UTC)", "2026-12-15T09:00:00.000Z"],
    ["until 3 April", "2027-04-03T00:00:00.000Z"],
    ["until 3 April 2027, 09:00", "2027-04-03T09:01:00.000Z"],
    ["resets Feb 30, 3pm (UTC)", null],
    ["resets 2026-13-01", null],
    ["resets tomorrow at 9am", "2026-11-24T09:00:00.000Z"],
    ["available again at 9am tomorrow (GMT+8)", "2026-11-24T01:00:00.000Z"],
    ["try again later today", null],
    ["try again today.", null],
    ["try again tomorrow.", "2026-11-24T00:00:00.000Z"],
    ["resets today at 9:30pm", "2026-11-23T21:31:00.000Z"],
    ["resets Mon 9am (UTC)", "2026-11-23T09:00:00.000Z"],
    ["resets on Sunday at 11:30 a.m. UTC", "2026-11-29T11:31:00.000Z"],
    ["resets Mon 7:15am", "2026-11-23T07:16:00.000Z"],
    ["resets 15:00 (UTC+2)", "2026-11-23T13:01:00.000Z"],
    ["resets at 15:00 GMT+8", "2026-11-23T07:01:00.000Z"],
    ["resets at 15:00 UTC-03:30", "2026-11-23T18:31:00.000Z"],
    ["resets at 15:00 +0200", "2026-11-23T13:01:00.000Z"],
    ["resets 3pm PST", "2026-11-23T23:00:00.000Z"],
    ["resets at 3pm Eastern Time", "2026-11-23T20:00:00.000Z"],
    ["resets 3pm (your local time)", "2026-11-23T15:00:00.000Z"],
    ["resets 24:00", "2026-11-24T00:00:00.000Z"],
    ["resets at midnight UTC", "2026-11-24T00:00:00.000Z"],
    ["resets at noon", "2026-11-23T12:00:00.000Z"],
    ["resets 24:30", null],
    ["resets 12:60", null],
    ["try again in about 2 hours", "2026-11-23T09:31:20.000Z"],
    ["resets in ~2h 30m", "2026-11-23T10:01:20.000Z"],
    ["try again in an hour and 5 minutes", "2026-11-23T08:36:20.000Z"],
    ["try again in 2 hours and then some", "2026-11-23T09:31:20.000Z"],
    ["try again in 0h5m", "2026-11-23T07:36:20.000Z"],
    ["try again in 2 months", "2027-01-22T07:31:20.000Z"],
    ["try again in 2 weeks", "2026-12-07T07:31:20.000Z"],
    ["try again in 0 seconds", null],
    ["try again in 2 models", null],
    ["try again in a moment", null],
    ["until 5 apps", null],
    ["until 5 ams", null],
    ["until decided 5 times", null],
    ["resets marketing 7", null],
    ["limit resets. Try again at 9am", "2026-11-23T09:00:00.000Z"],
    ["try again 3 times", null],
    ["try again", null],
    ["until", null],
    ["resets on Monday", "2026-11-30T00:00:00.000Z"],
    ["resets 99:99", null],
    ["nothing of the kind", null]
  ]
  for (const [text, expected] of table) it(text, () => assert.strictEqual(utc(text), expected))

  const around: ReadonlyArray<readonly [string, string, string]> = [
    ["resets 11:55pm (UTC)", "2026-12-01T00:05:00Z", "2026-11-30T23:56:00.000Z"],
    ["resets 12:05am (UTC)", "2026-11-30T23:55:00Z", "2026-12-01T00:06:00.000Z"],
    ["resets 12:30am (Asia/Tokyo)", "2026-11-30T15:34:00Z", "2026-11-30T15:31:00.000Z"],
    ["resets Dec 31, 11:55pm (UTC)", "2027-01-01T00:05:00Z", "2026-12-31T23:56:00.000Z"],
    ["resets Jan 1, 12:05am (UTC)", "2026-12-31T23:55:00Z", "2027-01-01T00:06:00.000Z"],
    ["resets Monday 9am (UTC)", "2026-11-30T09:10:00Z", "2026-11-30T09:00:00.000Z"],
    ["resets Monday 9am (UTC)", "2026-12-01T09:10:00Z", "2026-12-07T09:00:00.000Z"],
    ["resets tomorrow at 9am (Asia/Tokyo)", "2026-11-30T15:30:00Z", "2026-12-02T00:00:00.000Z"],
    ["resets midnight (UTC)", "2026-12-01T00:04:00Z", "2026-12-01T00:00:00.000Z"],
    ["resets Feb 29 (UTC)", "2027-12-31T15:04:00Z", "2028-02-29T00:00:00.000Z"],
    ["resets 2:30am (Europe/Paris)", "2027-03-27T23:00:00Z", "2027-03-28T01:31:00.000Z"],
    ["resets Feb 29, 3pm (UTC)", "2028-02-29T15:04:00Z", "2028-02-29T15:00:00.000Z"]
  ]
  for (const [text, readAt, expected] of around) {
    it(`${text}, read at ${readAt}`, () => {
      const at = resetIn(text, Date.parse(readAt))
      assert.strictEqual(at === null ? null : new Date(at).toISOString(), expected)
    })
  }

  it("that were printed minutes before they passed stay what they were", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2029, 0, 1) / 60_000 }),
        FastCheck.integer({ min: 1, max: 170 }),
        FastCheck.boolean(),
        (resetMinute, late, isDated) => {
          const reset = new Date(resetMinute * 60_000)
          const [clock = "", month = "", date = ""] = [
            reset.toISOString().slice(11, 16),
            reset.toLocaleString("en-US", { month: "short", timeZone: "UTC" }),
            `${reset.getUTCDate()}`
          ]
          const said = isDated ? `resets ${month} ${date}, ${clock} (UTC)` : `resets ${clock} (UTC)`
          // Midnight is a boundary, not a minute whose seconds were cut off.
          const cut = clock === "00:00" ? 0 : 60_000
          assert.strictEqual(resetIn(said, reset.getTime() + late * 60_000), reset.getTime() + cut)
        }
      )
    )
  })

  it("without a zone means this machine's, today or tomorrow", () => {
    const at = resetIn("try again at 8:01 AM.", now) ?? 0
    const local = new Date(at)
    assert.deepStrictEqual([local.getHours(), local.getMinutes()], [8, 2])
    assert.isTrue(at > now - 3 * 3_600_000 && at <= now + 25 * 3_600_000)
  })

  it("in a zone of the text, else of the agent, else of this machine", () => {
    const utc = (text: string, zone: string) => new Date(resetIn(text, now, zone) ?? 0).toISOString()
    assert.strictEqual(utc("resets at 2026-12-01 04:18:09", "Asia/Tokyo"), "2026-11-30T19:18:09.000Z")
    assert.strictEqual(utc("resets at 2026-12-01 04:18:09 UTC", "Asia/Tokyo"), "2026-12-01T04:18:09.000Z")
    assert.strictEqual(utc("resets Dec 15", "America/New_York"), "2026-12-15T05:00:00.000Z")
    assert.strictEqual(utc("resets 9am Buy more", "Asia/Tokyo"), "2026-11-24T00:00:00.000Z")
  })

  it.each(["Asia/Tokyo", ":Asia/Tokyo", "posix/Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo", "JST-9", "<+09>-9"])(
    "in the zone of the agent's variable TZ, as libc reads '%s'",
    (variable) => {
      assert.strictEqual(resetIn("resets 8pm", now, variable), Date.parse("2026-11-23T11:00:00Z"))
    }
  )

  it("in UTC where the agent's variable TZ is empty, GMT or UTC0", () => {
    for (const variable of ["", ":", "GMT", "UTC0"])
      assert.strictEqual(resetIn("resets 8pm", now, variable), Date.parse("2026-11-23T20:00:00Z"))
  })

  it("not in Dhaka where a text says BST", () => {
    assert.strictEqual(resetIn("resets 8pm BST", now, "Europe/London"), Date.parse("2026-11-23T20:00:00Z"))
  })

  it("takes seconds for milliseconds where they are", () => {
    assert.strictEqual(instant(1_795_422_680), 1_795_422_680_000)
    assert.strictEqual(instant(1_795_422_680_123), 1_795_422_680_123)
    assert.strictEqual(instant("1795422680"), 1_795_422_680_000)
    assert.strictEqual(instant("2026-11-23T08:31:20Z"), 1_795_422_680_000)
    for (const odd of [undefined, null, "soon", Number.NaN, -1, 0, {}, 1e300]) assert.isNull(instant(odd))
  })

  it("never throws and never gives nonsense", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.nat(), (text, number) => {
        const at = resetIn(`resets ${number}:${number % 70}${text} (${text})`, now)
        assert.isTrue(at === null || Number.isSafeInteger(at))
      })
    )
  })
})

describe("secrets", () => {
  const secrets = [
    "sk-ant-api03-abcdefghijklmnop",
    "sk-test",
    "sk-proj-AAAAbbbb1111",
    "AIzaSyA1234567890abcdefghij",
    "ghp_abcdefghijklmnop1234",
    "github_pat_11AAAA_bbbbbbbb",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"
  ]
  for (const secret of secrets) {
    it(secret, () => {
      for (const text of [`Incorrect API key provided: ${secret}.`, `key=${secret}&x`, `"${secret}"`, secret]) {
        assert.notInclude(mask(text), secret)
      }
    })
  }

  it("masks headers, addresses with passwords, and keys that are known", () => {
    assert.strictEqual(mask("Authorization: Bearer abc.def-123"), "Authorization: Bearer ***")
    assert.strictEqual(mask("https://user:hunter2@host/x"), "https://***@host/x")
    assert.strictEqual(mask("refused: my own key!", ["my own key"]), "refused: ***!")
  })

  it("leaves ordinary words alone", () => {
    const text = "API key missing: set ANTHROPIC_API_KEY or run claude auth login (status 401, x-api-key)"
    assert.strictEqual(mask(text), text)
  })
})

describe("bounds", () => {
  it("hold for every text, and break no character", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "binary", maxLength: 400 }),
        FastCheck.integer({ min: 100, max: 300 }),
        (text, bytes) => {
          for (const cut of [cutMiddle(text, bytes), cutEnd(text, bytes)]) {
            assert.isAtMost(Buffer.byteLength(cut), bytes)
            if (Buffer.byteLength(text) <= bytes) assert.strictEqual(cut, text)
            else if (!text.includes("\uFFFD")) assert.notInclude(cut, "\uFFFD")
          }
          const line = oneLine(text, 50)
          assert.isAtMost(Array.from(line).length, 50)
          assert.notMatch(line, /[\r\n]/)
        }
      ),
      { numRuns: 50 }
    )
  })
})

describe("tool calls", () => {
  const table: ReadonlyArray<readonly [string, string, unknown]> = [
    ["→ Edit src/a.ts", "Edit", { file_path: "src/a.ts", old_string: "x", new_string: "y" }],
    ["→ Bash npm test", "Bash", { command: "npm test", description: "Runs tests" }],
    ["→ Bash npm test", "Bash", { command: "/bin/bash -lc 'npm test'" }],
    ["→ Bash a b", "Bash", { command: "a\n  b" }],
    ['→ add {"a":1}', "add", { a: 1 }],
    ["→ tool", "tool", {}],
    ["→ tool", "tool", undefined],
    ["→ tool text", "tool", "text"]
  ]
  for (const [line, name, input] of table) it(line, () => assert.strictEqual(toolCall(name, input), line))

  it("are cut", () => assert.isAtMost(toolCall("Bash", { command: "x".repeat(10_000) }).length, 190))
})
