/** Which quota of Google was exceeded: one of a moment, one of a day, or one that the plan does not have. */
import { assert, describe, it } from "@effect/vitest"
import type { Verdict } from "../../../src/domain/task/Agent.ts"
import { verdictOf } from "../../../src/layers/agents/AgentsJudging.ts"
import { classify } from "../../../src/layers/agents/reading/Failure.ts"
import { signalReaderOf } from "../../../src/layers/agents/signals/AgentSignals.ts"

const advised = "You exceeded your current quota, please check your plan and billing details."
const links =
  "For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: https://ai.dev/usage?tab=rate-limit."
const metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
/** What the API says, whichever quota it is. */
const said = (limit: number, pause = "34.074824224s") =>
  `${advised} ${links}\n* Quota exceeded for metric: ${metric}, limit: ${limit}, model: gemini-2.5-pro\nPlease retry in ${pause}.`

const bodyOf = (quotaId: string, limit = 2, retryDelay = "34s") =>
  JSON.stringify(
    {
      error: {
        code: 429,
        message: said(limit),
        status: "RESOURCE_EXHAUSTED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            violations: [{ quotaMetric: metric, quotaId, quotaValue: `${limit}` }]
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }
        ]
      }
    },
    null,
    2
  )

const perMinute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
const perDay = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
const wrapped = (body: string) => `[API Error: ${JSON.stringify({ error: { message: body, code: 429, status: "" } })}]`

const endedAt = Date.parse("2026-11-30T12:00:00Z")
const midnight = "2026-12-01T08:00:00.000Z"

const seen = ({ failureClass, failureResetAt }: Verdict) => [
  failureClass,
  failureResetAt === null ? null : new Date(failureResetAt).toISOString()
]

const gemini = (message: string, stderr: ReadonlyArray<string> = []) => {
  const result = { type: "result", status: "error", error: { type: "unknown", message } }
  return seen(
    verdictOf("gemini", { end: { exitCode: 1, signal: null }, stdout: [JSON.stringify(result)], stderr, endedAt })
  )
}

const thrown = (name: string, message: string) => [
  `Error when talking to Gemini API Full report available at: /tmp/x.json ${name}: ${message}`,
  "    at classifyGoogleError (file:///x.js:1:1) {",
  "  cause: { code: 429, message: 'x', details: [ [Object] ] },",
  "  status: 429",
  "}"
]

describe("a quota of Google", () => {
  it("of a minute is too many requests for the moment", () => {
    assert.deepStrictEqual(gemini(`[API Error: ${said(2)}]`), ["rate", null])
    assert.deepStrictEqual(gemini(wrapped(bodyOf(perMinute))), ["rate", null])
    assert.deepStrictEqual(gemini(`[API Error: ${advised} ${links}]`), ["rate", null])
    assert.deepStrictEqual(gemini(`[API Error: ${advised}]`, thrown("RetryableQuotaError", advised)), ["rate", null])
    assert.deepStrictEqual(gemini("[API Error: Resource has been exhausted (e.g. check quota).]"), ["rate", null])
  })

  it("of a day ends at midnight in Los Angeles, whatever pause it advises", () => {
    assert.deepStrictEqual(gemini(wrapped(bodyOf(perDay, 50))), ["usage-limit", midnight])
    assert.deepStrictEqual(gemini(`[API Error: ${said(50)}]`, ["Attempt 3 failed: x", bodyOf(perDay, 50)]), [
      "usage-limit",
      midnight
    ])
    assert.deepStrictEqual(gemini(`[API Error: ${said(50)}]`, thrown("TerminalQuotaError", advised)), [
      "usage-limit",
      midnight
    ])
    const assist =
      "Quota exceeded for quota metric 'Gemini 2.5 Pro Requests' and limit 'Gemini 2.5 Pro Requests per day per user per tier' of service 'cloudcode-pa.googleapis.com' for consumer 'project_number:1'."
    assert.deepStrictEqual(gemini(`[API Error: ${assist}]`), ["usage-limit", midnight])
    assert.deepStrictEqual(gemini(`[API Error: ${assist.replace("per day", "per minute")}]`), ["rate", null])
    assert.deepStrictEqual(gemini("[API Error: You have exhausted your daily quota on this model.]"), [
      "usage-limit",
      midnight
    ])
  })

  it("of a day that an earlier request met does not count", () => {
    const earlier = ["Attempt 1 failed with status 429. Retrying with backoff...", bodyOf(perDay, 50)]
    const last = ["Attempt 1 failed with status 429. Retrying with backoff...", bodyOf(perMinute)]
    assert.deepStrictEqual(gemini(`[API Error: ${said(2)}]`, [...earlier, ...last]), ["rate", null])
  })

  it("that is over only after hours is a usage limit of that length", () => {
    assert.deepStrictEqual(gemini(`[API Error: ${said(2, "3h20m10s")}]`), ["usage-limit", "2026-11-30T15:20:10.000Z"])
    const pause = "You have exhausted your capacity on this model. Your quota will reset after 3h20m10s."
    assert.deepStrictEqual(gemini(`[API Error: ${pause}]`, thrown("TerminalQuotaError", pause)), [
      "usage-limit",
      "2026-11-30T15:20:10.000Z"
    ])
  })

  it("that the plan does not have needs a person", () => {
    assert.deepStrictEqual(gemini(`[API Error: ${said(0)}]`), ["budget", null])
    assert.deepStrictEqual(gemini(wrapped(bodyOf(perDay, 0))), ["budget", null])
  })

  it("is read as well where a signal ended the agent while it was trying again", () => {
    const stderr = [`Attempt 2 failed with status 429. Retrying with backoff... ${said(2).replaceAll("\n", " ")}`]
    const end = { exitCode: null, signal: "SIGTERM" }
    assert.deepStrictEqual(seen(verdictOf("gemini", { end, stdout: [], stderr, endedAt })), ["rate", null])
    const daily = [...stderr, bodyOf(perDay)]
    assert.deepStrictEqual(seen(verdictOf("gemini", { end, stdout: [], stderr: daily, endedAt })), [
      "usage-limit",
      midnight
    ])
  })

  it("means the same in the words of another agent", () => {
    const opencode = (body: string) =>
      seen(
        verdictOf("opencode", {
          end: { exitCode: 1, signal: null },
          stdout: [
            JSON.stringify({
              type: "error",
              error: { name: "APIError", data: { message: said(2), statusCode: 429, responseBody: body } }
            })
          ],
          stderr: [],
          endedAt
        })
      )
    assert.deepStrictEqual(opencode(bodyOf(perMinute)), ["rate", null])
    assert.deepStrictEqual(opencode(bodyOf(perDay)), ["usage-limit", midnight])
    const text = said(2).replaceAll("\n", " ")
    const line = `level=ERROR message="stream error" session.id=ses_1 error.error="AI_APICallError: ${text}"`
    assert.deepStrictEqual(signalReaderOf("opencode")?.("stderr", [line]), [])
  })

  it("is not what other services say, nor another failure of Google", () => {
    assert.strictEqual(classify({ message: advised, status: 429 }, "unknown"), "budget")
    assert.strictEqual(classify({ message: advised, codes: ["insufficient_quota"] }, "unknown"), "budget")
    assert.deepStrictEqual(gemini("[API Error: getaddrinfo ENOTFOUND generativelanguage.googleapis.com]"), [
      "network",
      null
    ])
    assert.deepStrictEqual(
      gemini("[API Error: API key not valid. Please pass a valid API key. (generativelanguage.googleapis.com)]"),
      ["auth", null]
    )
  })
})
