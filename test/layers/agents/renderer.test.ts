/** The renderers: what people read of recorded runs, and that nothing an agent prints can break them. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Outcome, outcome } from "../../../src/domain/task/Outcome.ts"
import { verdictOf } from "../../../src/layers/agents/AgentsJudging.ts"
import { builtInAgent } from "../../../src/layers/agents/Registry.ts"
import { runs } from "../../fuzz/effort.ts"
import { agentOf, endedAt, evidence, names, rendered } from "./Samples.ts"

const shown = (sample: string) => rendered(agentOf(sample), evidence(sample).stdout)

describe("rendered runs", () => {
  const table: Readonly<Record<string, ReadonlyArray<string>>> = {
    "claude1--err-429-retries2-stream": [
      "! 429 rate_limit: trying again in 0.6 s (1 of 2)",
      "! 429 rate_limit: trying again in 1.2 s (2 of 2)",
      "Failed: API Error: Request rejected (429) · fake rate limit"
    ],
    "claude4--sj-in-two-turns": ["→ Bash echo one", "first answer", "second answer"],
    "claude4--subagent-task": [
      "→ Agent sub",
      "→ in the background: sub",
      "main done",
      "  → Bash echo from-sub > sub.txt",
      "  sub done",
      "→ background task completed: sub done",
      "main done"
    ],
    "claude6--limit-429-rate": [
      "! 429 rate_limit: trying again in 0.6 s (1 of 2)",
      "! 429 rate_limit: trying again in 1.2 s (2 of 2)",
      "Failed: API Error: Server is temporarily limiting requests (not your usage limit) · fake rate limit"
    ],
    "claude6--limit-using-overage": ["done", "! the usage limit is reached, and paid credits are in use"],
    "claude6--limit-warning-5h": ["done"],
    "gemini3--limit-capacity-reset": [],
    "claude1--ok-json": ["hello there"],
    "claude1--ok-text": ["hello there"],
    "codex1--tool-json": [
      "! Model metadata for `gpt-5-codex` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
      "→ Bash echo hi; exit 3",
      "✗ Exit code 3: hi",
      "done"
    ],
    "gemini1--env": ['→ run_shell_command env | grep -E "ORCH|GEMINI|^PATH" | sort', "done"],
    "gemini3--stream-401": ["Failed: this key is not welcome"],
    "opencode--opencode-json": ["→ bash echo hi > f.txt; echo $ORCH_RUN", "done"],
    "opencode--opencode-401": ["Failed: invalid x-api-key"],
    "qwen--qwen-json": ["→ run_shell_command echo hi > f.txt; echo $ORCH_RUN", "done"],
    "qwen--qwen-401": ["Failed: 401 invalid x-api-key"],
    "copilot--copilot-json": ["→ bash echo hi > f.txt; echo $ORCH_RUN", "done"],
    "pi--pi-json": ["→ bash echo hi > f.txt; echo $ORCH_RUN", "done"],
    "pi--pi-401": ["Failed: 401 invalid x-api-key"]
  }
  for (const [sample, lines] of Object.entries(table)) {
    it(sample, () => assert.deepStrictEqual(shown(sample), lines))
  }

  it("joins the pieces of a streamed answer", () => {
    const lines = shown("gemini2--mcp")
    assert.strictEqual(lines.length, 3)
    assert.match(lines[1] ?? "", /^✗ MCP tool 'add' reported tool error/)
    assert.match(lines[2] ?? "", /^\{"error":"MCP tool 'add'.*"isError.*$/)
  })

  it("shows the end of a failed turn once", () => {
    const lines = shown("codex1--err-500")
    assert.strictEqual(lines.filter((line) => line.endsWith("temporary errors.")).length, 1)
    assert.match(lines.at(-1) ?? "", /^Failed: /)
  })
})

const isOutcome = Schema.is(Outcome)

const agents = ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen", "shell"].map((name) => {
  const agent = builtInAgent(name)
  if (agent === undefined) throw new Error(name)
  return agent
})

describe("unexpected lines", () => {
  for (const agent of agents) {
    it(`${agent.name} shows text as it is`, () => {
      const words = ["plain words", "{broken", '["list"]', "[warn] slow", "{", "  { indented"]
      assert.deepStrictEqual(rendered(agent, words), words)
    })
  }

  const json = FastCheck.json({ maxDepth: 4 })
  const type = FastCheck.constantFrom(
    ...["assistant", "user", "system", "result", "message", "message_update", "message_end", "tool_use", "tool_result"],
    ...[
      "item.completed",
      "item.started",
      "turn.completed",
      "turn.failed",
      "error",
      "text",
      "step_finish",
      "thread.started"
    ],
    ...["assistant.message", "session.error", "tool.execution_complete", "rate_limit_event", "agent_end", "session"]
  )
  const event = FastCheck.tuple(type, FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue())).map(
    ([name, rest]) => JSON.stringify({ ...rest, type: name })
  )
  // Real lines with one value turned into another kind, or cut off.
  const pool = names.flatMap((name) => evidence(name).stdout.filter((line) => line.length < 4000))
  const odd = FastCheck.tuple(FastCheck.constantFrom(...pool), FastCheck.nat(), FastCheck.boolean(), json).map(
    ([line, at, cut, value]) => {
      if (cut) return line.slice(0, at % (line.length + 1))
      const places = Array.from(line.matchAll(/:("[^"\\]*"|\d+|true|false|null|\{\}|\[\])/g))
      const place = places[at % Math.max(1, places.length)]
      if (place === undefined) return line
      return `${line.slice(0, place.index)}:${value}${line.slice(place.index + place[0].length)}`
    }
  )
  const lines = FastCheck.array(FastCheck.oneof(odd, event, json, FastCheck.string()), { maxLength: 8 })

  it("never break a renderer or a verdict, and never make a result of nothing", () => {
    FastCheck.assert(
      FastCheck.property(lines, lines, FastCheck.constantFrom(0, 1, 143, null), (stdout, stderr, exitCode) => {
        for (const agent of agents) {
          for (const line of rendered(agent, stdout)) assert.isString(line)
          const signal = exitCode === 143 ? "SIGTERM" : null
          const verdict = verdictOf(agent.name, { end: { exitCode, signal }, stdout, stderr, endedAt })
          if (exitCode !== 0) assert.strictEqual(verdict.status, "failed")
          // What a verdict holds can be stored.
          assert.isTrue(isOutcome(outcome({ ...verdict })))
          assert.isAtMost(Buffer.byteLength(verdict.error ?? ""), 4096)
          assert.strictEqual(verdict.failureClass === null, verdict.status === "completed")
        }
      }),
      { numRuns: runs(300) }
    )
  })

  it("stay bounded: a huge event, a huge argument, deep nesting", () => {
    const deep = `${'{"type":"assistant","message":{"content":[{"type":"tool_use","name":"x","input":'}${"[".repeat(50_000)}${"]".repeat(50_000)}}]}}`
    const huge = JSON.stringify({ type: "unheard_of", text: "x".repeat(2_000_000) })
    const call = JSON.stringify({
      type: "assistant",
      message: { content: [{ type: "tool_use", name: "Bash", input: { command: "y".repeat(2_000_000) } }] }
    })
    for (const agent of agents.filter(({ name }) => name !== "shell")) {
      for (const line of [deep, huge, call]) {
        for (const text of rendered(agent, [line])) assert.isAtMost(text.length, 5000)
      }
    }
  })

  it("flush streamed text that never ends its line", () => {
    const gemini = agents.find(({ name }) => name === "gemini")?.renderer()
    const piece = JSON.stringify({ type: "message", role: "assistant", content: "z".repeat(1000), delta: true })
    let out = 0
    for (let count = 0; count < 200; count++) out += gemini?.line(piece).join("").length ?? 0
    assert.isAbove(out, 100_000)
  })
})
