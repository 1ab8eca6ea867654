/** The calls of tools in what real agents printed: each with its name, its end, and whether it failed. */
import { assert, describe, it } from "@effect/vitest"
import { collectCalls } from "../../../src/domain/traces/ToolCall.ts"
import { callReaderOf } from "../../../src/layers/agents/signals/callReaderOf.ts"
import { agentOf, evidence } from "./Samples.ts"

/** Each line is captured a millisecond after the one before. */
const callsIn = (sample: string) => {
  const calls = collectCalls()
  const read = callReaderOf(agentOf(sample).name) ?? assert.fail("no reader")
  for (const [at, line] of evidence(sample).stdout.entries()) for (const event of read(line)) calls.add(event, at)
  return calls.all()
}

describe("the calls of tools", () => {
  for (const [sample, expected] of [
    ["claude4--subagent-task", ["Agent ok", "Bash in Agent ok"]],
    ["claude4--sj-in-interrupt", ["Bash failed"]],
    ["claude6--watchdog-waits", ["Bash ok", "Bash ok", "Bash ok"]],
    ["qwen--qwen-json", ["run_shell_command ok"]],
    ["codex1--tool-json", ["Bash failed"]],
    ["codex2--k-parent-SIGKILL", ["Bash failed"]],
    ["codex3--limit-midrun", ["Bash ok", "Bash ok"]],
    ["gemini2--mcp", ["mcp_orch_add failed"]],
    ["copilot--copilot-json", ["bash ok"]],
    ["opencode--opencode-json", ["bash ok"]],
    ["pi--pi-json", ["bash ok"]],
    ["claude1--err-429-retries2-stream", []]
  ] as const) {
    it(`are read from ${sample}`, () => {
      const calls = callsIn(sample)
      const nameOf = new Map(calls.map(({ id, name }) => [id, name]))
      const shown = calls.map(({ endedAt, failed, name, within }) =>
        [
          name,
          ...(within === null ? [] : ["in", nameOf.get(within)]),
          endedAt === null ? "open" : failed === true ? "failed" : "ok"
        ].join(" ")
      )
      assert.deepStrictEqual(shown, [...expected])
      for (const { endedAt, startedAt } of calls) assert.isAtLeast(endedAt ?? startedAt, startedAt)
    })
  }

  it("are not looked for in what a command prints, nor in the text that a tool gave", () => {
    assert.isNull(callReaderOf("shell"))
    assert.isNull(callReaderOf("my-agent"))
    const read = callReaderOf("claude") ?? assert.fail("no reader")
    const quoted = { type: "assistant", message: { content: [{ type: "text", text: '{"type":"tool_use","id":"x"}' }] } }
    for (const line of [
      JSON.stringify(quoted),
      '"tool_use"',
      '{"type":"tool_use"',
      '{"type":"user","message":7,"a":"tool_result"}'
    ])
      assert.deepStrictEqual(read(line), [], line)
  })

  it("have the time that the agent gives, where it reports them when they are over", () => {
    const [call] = callsIn("opencode--opencode-json")
    // Clamped to the capture, which is at 0, 1, 2 in this test.
    assert.isAtMost(call?.startedAt ?? -1, call?.endedAt ?? -1)
    const read = callReaderOf("opencode") ?? assert.fail("no reader")
    const line = evidence("opencode--opencode-json").stdout.find((one) => one.includes("tool_use")) ?? ""
    assert.strictEqual(read(line)[0]?.startedAt, 1795419247745)
  })
})
