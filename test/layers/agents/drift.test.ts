/** Events that no adapter knows: one dim line with their type, no JSON, and no other verdict. */
import { assert, describe, it } from "@effect/vitest"
import { aside } from "../../../src/domain/task/Agent.ts"
import { verdictOf } from "../../../src/layers/agents/AgentsJudging.ts"
import { custom } from "../../../src/layers/agents/adapters/custom.ts"
import { builtInAgent } from "../../../src/layers/agents/Registry.ts"
import { agentOf, evidence, names, rendered } from "./Samples.ts"

/** What newer versions print, and what nobody has printed yet. */
const invented: ReadonlyArray<readonly [event: unknown, shown: string]> = [
  [{ type: "invented", payload: { deep: ["x".repeat(20_000)] } }, "invented"],
  [{ type: "system", subtype: "commands_invented", commands: [{ name: "deep-research" }] }, "system/commands_invented"],
  [{ type: "turn.paused", item: { type: "plan" } }, "turn.paused/plan"],
  [{ no: "type" }, "event"],
  [{ type: 5, subtype: ["odd"] }, "event"],
  [{ method: "item/started", params: {} }, "event"],
  [[{ type: "batched" }], "batched"],
  [{ type: `a\nb \u001b[31m${"c".repeat(300)}` }, "a b"]
]

const streaming = names.filter((name) => !name.endsWith("-text") && name !== "gemini1--ok-json")

describe("an event that no adapter knows", () => {
  for (const name of ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen"]) {
    const agent = builtInAgent(name)
    if (agent === undefined) throw new Error(name)

    for (const [event, shown] of invented) {
      it(`is one line of ${name}: ${shown}`, () => {
        const line = JSON.stringify(event)
        const lines = rendered(agent, [line, line, "between", line])
        assert.strictEqual(lines.length, 2)
        assert.isTrue(lines[0]?.startsWith(`${aside}${shown}`), lines[0])
        assert.isAtMost(lines[0]?.length ?? 0, 82)
        assert.strictEqual(lines[1], "between")
      })
    }

    it(`of which ${name} printed only a part is one line too`, () => {
      const cut = '{"type":"invented","text":"and here the middle is'
      assert.deepStrictEqual(rendered(agent, [cut, '{"ty']), [`${aside}invented`, `${aside}event`])
    })

    it(`comes from ${name} in a thousand kinds: twenty lines at most`, () => {
      const kinds = Array.from({ length: 1000 }, (_, at) => JSON.stringify({ type: `kind-${at}` }))
      assert.strictEqual(rendered(agent, kinds).length, 20)
    })
  }

  for (const name of streaming) {
    it(`between the lines of ${name} changes nothing else`, () => {
      const agent = agentOf(name)
      const recorded = evidence(name)
      const strange = JSON.stringify({ type: "invented", session_id: 5, message: { content: "x" }, result: "no" })
      const stdout = [strange, ...recorded.stdout.flatMap((line) => [line, strange])]
      const drifted = verdictOf(agent.name, { ...recorded, stdout })
      assert.deepStrictEqual(drifted, verdictOf(agent.name, recorded))
      const lines = rendered(agent, stdout)
      assert.deepStrictEqual(
        lines.filter((line) => line.startsWith(aside)),
        [`${aside}invented`]
      )
      // The text of an answer may be JSON; an event is not among it.
      const events = new Set(stdout)
      assert.deepStrictEqual(
        lines.filter((line) => events.has(line)),
        []
      )
    })
  }

  it("is text where a command prints what it likes", () => {
    const lines = invented.map(([event]) => JSON.stringify(event))
    for (const agent of [builtInAgent("shell"), custom("mine", ["mine"])]) {
      assert.isDefined(agent)
      if (agent !== undefined) assert.deepStrictEqual(rendered(agent, lines), lines)
    }
  })
})

describe("what Claude Code prints while a tool runs", () => {
  it("is not shown", () => {
    const claude = builtInAgent("claude")
    assert.isDefined(claude)
    if (claude === undefined) return
    const events = [
      { type: "system", subtype: "commands_changed", commands: [{ name: "deep-research", description: "x" }] },
      { type: "tool_progress", tool_use_id: "toolu_1-heartbeat-0", tool_name: "Bash", elapsed_time_seconds: 30 },
      { type: "tool_use_summary", summary: "ran" }
    ]
    assert.deepStrictEqual(
      rendered(
        claude,
        events.map((event) => JSON.stringify(event))
      ),
      []
    )
  })

  it("does not hide that it was about to try again", () => {
    const retry = { type: "system", subtype: "api_retry", attempt: 1, error_status: 529, error: "overloaded" }
    const after = { type: "system", subtype: "commands_changed" }
    const line = (event: unknown) => JSON.stringify(event)
    const killed = { end: { exitCode: 143, signal: "SIGTERM" }, stderr: [], endedAt: 0 }
    const waiting = verdictOf("claude", { ...killed, stdout: [line(retry), line(after)] })
    assert.deepInclude(waiting, { failureClass: "overloaded" })
    const reply = { type: "assistant", message: { content: [] } }
    const working = verdictOf("claude", { ...killed, stdout: [line(retry), line(reply), line(after)] })
    assert.deepInclude(working, { failureClass: "unknown" })
  })
})
