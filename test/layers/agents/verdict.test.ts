/** The verdict over real output: exit code and stream must both say success. */
import { assert, describe, it } from "@effect/vitest"
import type { Verdict } from "../../../src/domain/task/Agent.ts"
import { verdictOf } from "../../../src/layers/agents/AgentsJudging.ts"
import { agentOf, endedAt, evidence, names } from "./Samples.ts"

type Expected = readonly [
  status: Verdict["status"],
  cause: Verdict["cause"],
  failureClass: Verdict["failureClass"],
  answer: string | null | RegExp,
  /** Tokens in, tokens out, dollars, cumulative. */
  usage: readonly [number | null, number | null, number | null, boolean] | null
]

const expected: Readonly<Record<string, Expected>> = {
  "claude1--conn-refused-retries0": ["failed", "agent-error", "network", null, [0, 0, 0, true]],
  "claude1--err-429-retries2-stream": ["failed", "agent-error", "rate", null, null],
  "claude1--ok-json": ["completed", "exit", null, "hello there", [9690, 3, 0.029115, true]],
  "claude1--ok-text": ["failed", "agent-error", "agent", null, null],
  "claude2--json-schema": ["completed", "exit", null, '{"verdict":"pass","score":3}', [9694, 7, 0.048645, true]],
  "claude2--max-budget": ["failed", "agent-error", "budget", null, [4000, 5500, 0.1575, true]],
  "claude2--max-turns": ["failed", "agent-error", "max-turns", null, [19407, 12, 0.097335, true]],
  "claude2--perm-default-denied": ["failed", "agent-error", "agent", /needs approval/, [19485, 73, 0.09925, true]],
  "claude3--parent-only-SIGINT-in-tool": ["failed", "agent-error", "agent", null, [9703, 10, 0.048765, true]],
  "claude4--fallback-model": ["completed", "exit", null, "answered", [9694, 2, 0.009704, false]],
  "claude4--sj-in-interrupt": ["completed", "exit", null, "after interrupt", [19584, 12, 0.09822, false]],
  "claude4--sj-in-two-turns": ["completed", "exit", null, "second answer", [29165, 13, 0.14615, false]],
  "claude4--subagent-task": ["completed", "exit", null, "main done", [36400, 46, 0.18315, false]],
  "claude5-bg--bg-task-holds-exit": ["completed", "exit", null, "moved on", [29827, 20, 0.149635, false]],
  "claude5-oauth--oauth-429-usage": ["failed", "agent-error", "usage-limit", null, null],
  "claude6--limit-429-rate": ["failed", "agent-error", "rate", null, null],
  "claude6--limit-midrun": ["failed", "agent-error", "usage-limit", null, [19718, 20, 0.09909, false]],
  "claude6--limit-no-headers-429": ["failed", "agent-error", "usage-limit", null, null],
  "claude6--limit-out-of-credits": ["failed", "agent-error", "usage-limit", null, null],
  "claude6--limit-overage-exhausted": ["failed", "agent-error", "budget", null, null],
  "claude6--limit-rejected-7d-opus": ["failed", "agent-error", "usage-limit", null, null],
  "claude6--limit-rejected-7d": ["failed", "agent-error", "usage-limit", null, null],
  "claude6--limit-using-overage": ["completed", "exit", null, "done", [9814, 1, 0.049095, false]],
  "claude6--limit-warning-5h": ["completed", "exit", null, "done", [9813, 1, 0.04909, false]],
  "claude6--watchdog-waits": ["completed", "exit", null, "over", [39480, 25, 0.198025, false]],
  "claude--resumed": ["completed", "exit", null, "b", [9707, 1, 0.04856, false]],
  "codex1--conn-refused": ["failed", "signal", "network", null, null],
  "codex1--err-401": ["failed", "agent-error", "auth", null, null],
  "codex1--err-429-usage": ["failed", "agent-error", "usage-limit", null, null],
  "codex1--err-500": ["failed", "agent-error", "overloaded", null, null],
  "codex1--max-tokens": ["failed", "agent-error", "agent", null, null],
  "codex1--ok-text": ["failed", "agent-error", "agent", null, null],
  "codex1--tool-json": ["completed", "exit", null, "done", [9969, 8, null, true]],
  "codex2--k-parent-SIGKILL": ["failed", "signal", "unknown", "never", [13470, 11, null, true]],
  "codex2--s-resume": ["completed", "exit", null, "resumed", [13417, 4, null, true]],
  "codex2--s-schema": ["completed", "exit", null, '{"verdict":"pass"}', [6712, 5, null, true]],
  "codex3--limit-midrun": ["failed", "agent-error", "usage-limit", null, null],
  "codex3--limit-reached": ["failed", "agent-error", "usage-limit", null, null],
  "copilot--copilot-401": ["failed", "agent-error", "auth", null, null],
  "copilot--copilot-json": ["completed", "exit", null, "done", null],
  "gemini1--env": ["completed", "exit", null, "done", [12034, 15, null, false]],
  "gemini1--err-401": ["failed", "agent-error", "auth", null, null],
  "gemini1--err-429-quota": ["failed", "agent-error", "usage-limit", null, null],
  "gemini1--ok-json": ["failed", "agent-error", "agent", null, null],
  "gemini2--maxSessionTurns": ["failed", "agent-error", "max-turns", null, null],
  "gemini2--mcp": ["completed", "exit", null, /^\{"error":"MCP tool 'add'.*\]"\}$/, [12227, 123, null, false]],
  "gemini3--stream-401": ["failed", "agent-error", "auth", null, [0, 0, null, false]],
  "gemini3--stream-404": ["failed", "agent-error", "model", null, [0, 0, null, false]],
  "gemini3--stream-429-quota": ["failed", "agent-error", "usage-limit", null, [0, 0, null, false]],
  "gemini3--limit-capacity-reset": ["failed", "signal", "usage-limit", null, null],
  "gemini3--limit-midrun": ["failed", "agent-error", "usage-limit", null, [12024, 18, null, false]],
  "opencode--opencode-401": ["failed", "agent-error", "auth", null, null],
  "opencode--opencode-json": ["completed", "exit", null, "done", [4804, 13, 0.014607, false]],
  "opencode2--limit-429-printlogs": ["failed", "signal", "usage-limit", null, null],
  "pi--pi-401": ["failed", "agent-error", "auth", null, [0, 0, 0, false]],
  "pi--pi-json": ["completed", "exit", null, "done", [1194, 13, 0.003777, false]],
  "qwen--qwen-401": ["failed", "agent-error", "auth", null, [0, 0, null, false]],
  "qwen--qwen-json": ["completed", "exit", null, "done", [19020, 13, null, false]]
}

describe("the verdict over recorded runs", () => {
  it("has an expectation for every sample", () => {
    assert.deepStrictEqual([...names].sort(), Object.keys(expected).sort())
  })

  for (const [sample, [status, cause, failureClass, answer, usage]] of Object.entries(expected)) {
    it(sample, () => {
      const verdict = verdictOf(agentOf(sample).name, evidence(sample))
      assert.deepStrictEqual(
        { status: verdict.status, cause: verdict.cause, failureClass: verdict.failureClass },
        { status, cause, failureClass }
      )
      if (answer instanceof RegExp) assert.match(verdict.answer ?? "", answer)
      else assert.strictEqual(verdict.answer, answer)
      if (usage === null) assert.isNull(verdict.usage)
      else {
        const { usage: got } = verdict
        assert.deepStrictEqual([got?.inputTokens, got?.outputTokens, got?.cumulative], [usage[0], usage[1], usage[3]])
        if (usage[2] === null) assert.isNull(got?.costUsd)
        else assert.approximately(got?.costUsd ?? Number.NaN, usage[2], 1e-6)
      }
      assert.strictEqual(verdict.error === null, status === "completed")
      assert.notMatch(verdict.error ?? "", /sk-test/)
      if (!sample.endsWith("-text") && sample !== "gemini1--ok-json") assert.isNotNull(verdict.sessionId)
    })
  }
})

describe("when a limit ends", () => {
  const resetOf = (sample: string, zone?: string) => {
    const at = verdictOf(agentOf(sample).name, {
      ...evidence(sample),
      endedAt: Date.parse("2026-11-28T23:16:50Z"),
      ...(zone === undefined ? {} : { zone })
    }).failureResetAt
    return at === null ? null : new Date(at).toISOString()
  }

  it("is read from the date in the text", () => {
    assert.strictEqual(resetOf("claude6--limit-no-headers-429"), "2026-12-01T00:00:00.000Z")
  })

  it("is the time of the limit that refused, not of a window that is still open", () => {
    assert.strictEqual(resetOf("claude6--limit-rejected-7d-opus"), "2026-12-02T10:36:09.000Z")
    assert.strictEqual(resetOf("claude6--limit-out-of-credits"), "2026-11-29T00:19:23.000Z")
  })

  it("is in the zone of the agent and never before the limit ends, since the agent cuts the seconds off", () => {
    // The true second was 00:16:46 UTC.
    assert.strictEqual(resetOf("codex3--limit-reached", "UTC"), "2026-11-29T00:17:00.000Z")
    assert.strictEqual(resetOf("codex3--limit-reached", "Asia/Tokyo"), "2026-11-28T15:17:00.000Z")
  })

  it("is the next midnight in Los Angeles for a daily quota of Google", () => {
    assert.strictEqual(resetOf("gemini3--limit-midrun"), "2026-11-29T08:00:00.000Z")
  })

  it("is read from the notice that Gemini prints before it sleeps", () => {
    assert.strictEqual(resetOf("gemini3--limit-capacity-reset"), "2026-11-29T02:37:00.000Z")
  })

  it("is unknown for a 429 that is not a usage limit", () => {
    assert.isNull(resetOf("claude6--limit-429-rate"))
  })
})

describe("what a person reads", () => {
  const error = (sample: string) => verdictOf(agentOf(sample).name, evidence(sample)).error ?? ""

  it("names what went wrong and the command that mends it", () => {
    assert.match(error("codex1--err-401"), /401 Unauthorized.*\n.*codex login.*beat config set agents\.codex\.apiKey/)
    assert.match(error("gemini1--err-401"), /^invalid x-api-key\n.*GEMINI_API_KEY/)
    assert.match(error("claude5-oauth--oauth-429-usage"), /5-hour limit.*\n.*2026-11-23T08:31Z.*beat retry/)
    assert.match(error("claude2--max-budget"), /Reached maximum budget/)
    assert.match(error("claude2--perm-default-denied"), /denied permission for: Bash touch denied\.txt/)
  })

  it("is none where the agent was refused a tool by a person that it had asked", () => {
    const asked = {
      type: "control_request",
      request_id: "r1",
      request: { subtype: "can_use_tool", tool_name: "Bash", input: {} }
    }
    const denial = { tool_name: "Bash", tool_input: { command: "git push" } }
    const result = { type: "result", subtype: "success", is_error: false, result: "done", permission_denials: [denial] }
    const end = { exitCode: 0, signal: null }
    const judged = (...events: ReadonlyArray<unknown>) =>
      verdictOf("claude", { end, stdout: events.map((event) => JSON.stringify(event)), stderr: [], endedAt: 0 }).status
    assert.deepStrictEqual([judged(asked, result), judged(result)], ["completed", "failed"])
  })

  it("holds no key, whichever agent prints it", () => {
    const message = "Incorrect API key provided: sk-live-1234567890abcdef"
    const outputs: ReadonlyArray<readonly [string, string]> = [
      ["claude--", JSON.stringify({ type: "result", subtype: "success", is_error: true, result: message })],
      ["codex--", JSON.stringify({ type: "turn.failed", error: { message } })],
      ["opencode--", JSON.stringify({ type: "error", error: { name: "APIError", data: { message } } })],
      ["shell--", message]
    ]
    for (const [sample, line] of outputs) {
      const verdict = verdictOf(agentOf(sample).name, {
        end: { exitCode: 1, signal: null },
        stdout: [line],
        stderr: [],
        endedAt
      })
      assert.match(verdict.error ?? "", /Incorrect API key provided: sk-\*\*\*/)
    }
  })

  it("says when a limit ends", () => {
    const reset = (sample: string) => verdictOf(agentOf(sample).name, evidence(sample)).failureResetAt
    assert.strictEqual(reset("claude5-oauth--oauth-429-usage"), 1_795_422_680_000)
    assert.isNotNull(reset("codex1--err-429-usage"))
    assert.isNull(reset("claude1--err-429-retries2-stream"))
  })
})

describe("ends that look like something else", () => {
  it("does not take gemini's 401 (exit code 145) for a signal", () => {
    const verdict = verdictOf("gemini", evidence("gemini1--err-401", { exitCode: 145, signal: "SIGSTKFLT" }))
    assert.strictEqual(verdict.cause, "agent-error")
    assert.strictEqual(verdict.failureClass, "auth")
    const streamed = verdictOf("gemini", evidence("gemini3--stream-401", { exitCode: 145, signal: "SIGSTKFLT" }))
    assert.deepStrictEqual([streamed.cause, streamed.failureClass], ["agent-error", "auth"])
    assert.match(streamed.error ?? "", /^this key is not welcome\n/)
  })

  it("takes a real signal for one, whatever the stream said", () => {
    const killed = verdictOf("claude", evidence("claude1--ok-json", { exitCode: 143, signal: "SIGTERM" }))
    assert.deepStrictEqual([killed.status, killed.cause], ["failed", "signal"])
    assert.match(killed.error ?? "", /SIGTERM/)
  })

  for (const sample of names) {
    it(`never calls ${sample} completed with a bad or unknown exit code`, () => {
      for (const exitCode of [1, 255, null]) {
        const verdict = verdictOf(agentOf(sample).name, evidence(sample, { exitCode, signal: null }))
        assert.strictEqual(verdict.status, "failed")
      }
    })

    it(`never calls ${sample} completed when its last line is missing`, () => {
      const whole = evidence(sample, { exitCode: 0, signal: null })
      const cut = { ...whole, stdout: whole.stdout.slice(0, -1), stderr: [] }
      const verdict = verdictOf(agentOf(sample).name, cut)
      // Two results in one run: without the last one the other stands.
      if (["claude4--subagent-task", "claude4--sj-in-two-turns", "claude5-bg--bg-task-holds-exit"].includes(sample))
        return
      assert.strictEqual(verdict.status, "failed")
    })
  }

  it("keeps the class of what an agent was waiting for when it was ended", () => {
    const whole = evidence("claude1--err-429-retries2-stream")
    const verdict = verdictOf("claude", {
      ...whole,
      stdout: whole.stdout.slice(0, 3),
      end: { exitCode: 143, signal: "SIGTERM" }
    })
    assert.deepStrictEqual([verdict.cause, verdict.failureClass], ["signal", "rate"])
  })

  it("reads from gemini's stderr what it was retrying", () => {
    const stderr = [
      "Attempt 5 failed. Retrying with backoff... Error: exception TypeError: fetch failed sending request"
    ]
    const verdict = verdictOf("gemini", { end: { exitCode: 143, signal: "SIGTERM" }, stdout: [], stderr, endedAt })
    assert.deepStrictEqual([verdict.cause, verdict.failureClass], ["signal", "network"])
  })

  it("explains a missing login that is printed as plain text", () => {
    const verdict = verdictOf("claude", {
      end: { exitCode: 1, signal: null },
      stdout: ["Not logged in · Please run /login"],
      stderr: [],
      endedAt
    })
    assert.deepStrictEqual([verdict.status, verdict.failureClass], ["failed", "auth"])
    assert.match(verdict.error ?? "", /claude auth login/)
  })
})

describe("shell", () => {
  const run = (exitCode: number, stdout: ReadonlyArray<string>, stderr: ReadonlyArray<string> = []) =>
    verdictOf("shell", { end: { exitCode, signal: null }, stdout, stderr, endedAt })

  it("answers with what was printed", () => {
    assert.deepInclude(run(0, ["one", "two", ""]), { status: "completed", answer: "one\ntwo" })
  })

  it("does not guess at the words of a command", () => {
    const verdict = run(2, ["ok"], ["curl: connection refused, 401 unauthorized"])
    assert.deepInclude(verdict, { status: "failed", cause: "exit", failureClass: "agent" })
    assert.strictEqual(verdict.error, "shell ended with exit code 2:\ncurl: connection refused, 401 unauthorized")
  })

  it("bounds answer and error", () => {
    const many = Array.from({ length: 100_000 }, (_, at) => `line ${at} ${"é".repeat(50)}`)
    const verdict = run(1, many, many)
    assert.isAtMost(Buffer.byteLength(verdict.answer ?? ""), 1_000_000)
    assert.match(verdict.answer ?? "", /^line 0 /)
    assert.match(verdict.answer ?? "", /line 99999 é+$/)
    assert.isAtMost(Buffer.byteLength(verdict.error ?? ""), 4096)
    assert.notInclude(verdict.answer ?? "", "\uFFFD")
  })
})
