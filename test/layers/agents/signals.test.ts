/** What recorded output says of limits while the agent runs. */
import { assert, describe, it } from "@effect/vitest"
import type { LimitSignal } from "../../../src/domain/limits/Signal.ts"
import type { StreamName } from "../../../src/domain/output/Output.ts"
import { signalReaderOf } from "../../../src/layers/agents/signals/AgentSignals.ts"
import { agentOf, evidence } from "./Samples.ts"

const signalsOf = (agent: string, stream: StreamName, lines: ReadonlyArray<string>) =>
  signalReaderOf(agent)?.(stream, lines) ?? []

const signalsIn = (sample: string): ReadonlyArray<LimitSignal> => {
  const { stderr, stdout } = evidence(sample)
  const { name } = agentOf(sample)
  return [...signalsOf(name, "stdout", stdout), ...signalsOf(name, "stderr", stderr)]
}

const closedIn = (sample: string) =>
  signalsIn(sample).flatMap((signal) =>
    signal._tag === "Seen" && signal.closed ? [[signal.window, signal.family, signal.resetsAt]] : []
  )

const tagsIn = (sample: string) => Array.from(new Set(signalsIn(sample).map(({ _tag }) => _tag)))

describe("signals of Claude Code", () => {
  it("tell both windows on an answer", () => {
    const windows = signalsIn("claude6--limit-warning-5h").flatMap((signal) =>
      signal._tag === "Seen" ? [[signal.window, signal.used, signal.closed]] : []
    )
    assert.deepStrictEqual(windows.slice(-2), [
      ["five_hour", 0.93, false],
      ["seven_day", 0.41, false]
    ])
  })

  it("tell which window refused, with its time", () => {
    assert.deepStrictEqual(closedIn("claude6--limit-rejected-7d-opus"), [["seven_day_opus", "opus", 1_796_207_769_000]])
    assert.deepStrictEqual(closedIn("claude6--limit-out-of-credits"), [["five_hour", "", 1_795_911_563_000]])
  })

  it("tell no limit of a 429 that is none, and none of paid credits that are used up", () => {
    assert.deepStrictEqual(closedIn("claude6--limit-429-rate"), [])
    assert.deepStrictEqual(closedIn("claude6--limit-overage-exhausted"), [])
  })

  it("tell that paid credits are in use, and close no window by that", () => {
    assert.deepStrictEqual(closedIn("claude6--limit-using-overage"), [])
    assert.deepStrictEqual(tagsIn("claude6--limit-using-overage"), ["Served", "Used", "Seen", "Overage"])
  })

  it("tell an answer only where the model gave one", () => {
    assert.notInclude(tagsIn("claude6--limit-rejected-7d"), "Served")
    assert.include(tagsIn("claude6--limit-midrun"), "Served")
  })

  it("tell a long pause inside the process", () => {
    const line = (ms: number) => JSON.stringify({ type: "system", subtype: "api_retry", retry_delay_ms: ms })
    assert.deepStrictEqual(signalsOf("claude", "stdout", [line(7_200_000), line(8990)]), [
      { _tag: "Sleeping", ms: 7_200_000 }
    ])
  })

  it("are not read in the text of a tool", () => {
    const text = JSON.stringify({
      type: "rate_limit_event",
      rate_limit_info: { status: "rejected", rateLimitType: "five_hour" }
    })
    const line = JSON.stringify({ type: "user", message: { content: [{ type: "tool_result", content: text }] } })
    assert.deepStrictEqual(signalsOf("claude", "stdout", [line]), [])
  })
})

describe("signals of the other agents", () => {
  it("tell that Gemini sleeps for hours", () => {
    assert.deepStrictEqual(signalsIn("gemini3--limit-capacity-reset"), [{ _tag: "Sleeping", ms: 14_117_857 }])
    assert.deepStrictEqual(tagsIn("gemini3--limit-midrun"), ["Served"])
  })

  it("tell that OpenCode sleeps without an end", () => {
    assert.deepStrictEqual(tagsIn("opencode2--limit-429-printlogs"), ["Sleeping"])
    const failing = 'level=ERROR message="stream error" session.id=ses_1 error.error="AI_APICallError: Overloaded"'
    assert.deepStrictEqual(signalsOf("opencode", "stderr", [failing]), [])
  })

  it("tell that OpenCode waits for credit, and not where it waits for something else", () => {
    const logged = (text: string) =>
      signalsOf("opencode", "stderr", [
        `level=ERROR message="stream error" session.id=ses_1 error.error="AI_APICallError: ${text}"`
      ])
    for (const text of ["Insufficient balance", "Insufficient Balance. Manage your billing here: x", "余额不足"]) {
      assert.deepStrictEqual(logged(text), [{ _tag: "Sleeping", ms: null }])
    }
    for (const text of [
      "The load balancer is unavailable",
      "unbalanced brackets in the request",
      "Too many requests"
    ]) {
      assert.deepStrictEqual(logged(text), [])
    }
  })

  it("tell that Codex was answered", () => {
    assert.deepStrictEqual(tagsIn("codex3--limit-midrun"), ["InSession", "Served"])
    assert.deepStrictEqual(tagsIn("codex3--limit-reached"), ["InSession"])
    const [session] = signalsIn("codex3--limit-reached")
    assert.match(session?._tag === "InSession" ? session.id : "", /^[0-9a-f-]{36}$/)
    const quoted = JSON.stringify({
      type: "item.completed",
      item: { text: '{"type":"thread.started","thread_id":"a"}' }
    })
    assert.deepStrictEqual(signalsOf("codex", "stdout", [quoted]), [])
  })

  it("tell nothing of an agent whose format is not known", () => {
    assert.isNull(signalReaderOf("shell"))
  })
})
