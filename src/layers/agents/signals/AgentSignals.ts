/** What lines of the agents' output say about limits and usage while they run. Only the agents' own events count, never the text of a tool. */

import { type LimitSignal, longestSleepMs } from "../../../domain/limits/Signal.ts"
import type { StreamName } from "../../../domain/output/Output.ts"
import type { ModelUse } from "../../../domain/usage/ModelUse.ts"
import type { SignalReader } from "../../../services/Agents.ts"
import { loggedFailure, stepUse } from "../adapters/opencode.ts"
import { messageUse } from "../adapters/pi.ts"
import { classify } from "../reading/Failure.ts"
import { claudeSignals } from "./claudeSignals.ts"

type Reader = (line: string, stream: StreamName) => ReadonlyArray<LimitSignal>

const served: ReadonlyArray<LimitSignal> = [{ _tag: "Served" }]

/** An answer is recognised by how its line begins. */
const answers =
  (pattern: RegExp): Reader =>
  (line, stream) =>
    stream === "stdout" && pattern.test(line.slice(0, 400)) ? served : []

const claude: Reader = (line, stream) => (stream === "stdout" ? claudeSignals(line) : [])

const codexAnswer = answers(
  /^\{"type":"(?:item\.completed","item":\{"id":"[^"]*","type":"(?:agent_message|reasoning|command_execution|mcp_tool_call|file_change)"|turn\.completed")/
)

/** Also where a session is resumed. */
const threadStarted = /^\{"type":"thread\.started","thread_id":"([0-9a-f-]{8,64})"/

const codex: Reader = (line, stream) => {
  const id = stream === "stdout" ? threadStarted.exec(line.slice(0, 400))?.[1] : undefined
  return id === undefined ? codexAnswer(line, stream) : [{ _tag: "InSession", id }]
}

const geminiAnswer = answers(/^\{"type":"(?:tool_use"|message",.*"role":"assistant")/)

const gemini: Reader = (line, stream) => {
  if (stream === "stdout") return geminiAnswer(line, stream)
  const ms = Number(/^Attempt \d+ failed.*\bRetrying after (\d+)ms/.exec(line)?.[1] ?? 0)
  return ms > longestSleepMs ? [{ _tag: "Sleeping", ms }] : []
}

const usedIn = (use: ModelUse | null): ReadonlyArray<LimitSignal> =>
  use === null ? [] : [{ _tag: "Used", key: null, use }]

const pi: Reader = (line, stream) => (stream === "stdout" ? usedIn(messageUse(line)) : [])

const opencodeAnswer = answers(/^\{"type":"(?:text|tool_use|step_finish)"/)

/** It retries without an end, and says so only in its log. */
const opencode: Reader = (line, stream) => {
  if (stream === "stdout") return [...opencodeAnswer(line, stream), ...usedIn(stepUse(line))]
  const failure = loggedFailure(line)
  if (failure === null) return []
  const met = classify({ message: failure.message }, "unknown")
  return met === "usage-limit" || met === "budget" ? [{ _tag: "Sleeping", ms: null }] : []
}

const readers: ReadonlyMap<string, Reader> = new Map([
  ["claude", claude],
  ["qwen", claude],
  ["codex", codex],
  ["gemini", gemini],
  ["opencode", opencode],
  ["pi", pi]
])

/** Null: the agent says nothing of them, so its output need not be cut into lines. */
export const signalReaderOf = (agent: string): SignalReader | null => {
  const read = readers.get(agent)
  return read === undefined ? null : (stream, lines) => lines.flatMap((line) => read(line, stream))
}
