/**
 * Distinguishes an agent that works in silence from one that waits for an answer that never comes, by the CPU time of its
 * processes.
 */

/** One process of a task, as it was at one look. */
export interface ProcessCpu {
  /** Distinguishes it from every other process. */
  readonly key: string
  /** Coding agents start each tool in a separate session; a process in the agent's session is the agent's own. */
  readonly role: "agent" | "tool"
  /** CPU time of the process itself, in milliseconds. */
  readonly ownMillis: number
  /** CPU time of the children that it waited for, in milliseconds. */
  readonly waitedMillis: number
}

export type CpuUse = ReadonlyArray<ProcessCpu>

/** Share of one core: what works uses more on average, and `while :; do sleep 0.5; done` less. */
const workingShare = 0.01

/**
 * Share of one core above which one process of a coding agent works, where it waits for nothing. Measured with each agent
 * hung on a server that never answers and, where the agent prints nothing meanwhile, reading an answer that comes slowly.
 * docs/stall.md has the tables: measure again before you change a number.
 *
 * | agent    | hung: average, most in 45 s | reading an answer |
 * | -------- | --------------------------- | ----------------- |
 * | claude   | 0.2 %, 0.4 %                | 1.4 to 2.7 %      |
 * | codex    | 0.1 %, 0.2 %                | 0.9 to 1.2 %      |
 * | gemini   | 0.3 %, 1.2 %                | prints it         |
 * | opencode | 1.7 %, 1.9 %                | 24 %              |
 * | qwen     | 0.4 %, 1.5 %                |                   |
 * | copilot  | 0.03 %, 0.1 %               |                   |
 * | pi       | 0.1 %, 0.4 %                | prints it         |
 */
const restingShares: ReadonlyMap<string, number> = new Map([
  ["claude", 0.01],
  ["codex", 0.006],
  ["gemini", 0.03],
  ["opencode", 0.06],
  ["qwen", 0.03],
  ["copilot", 0.01],
  ["pi", 0.02]
])

const sum = (use: CpuUse, of: (process: ProcessCpu) => number): number =>
  use.reduce((total, process) => total + of(process), 0)

/** What an agent waited for was a tool: its time stays in this sum when it ends. */
const ofTools = ({ ownMillis, role, waitedMillis }: ProcessCpu): number =>
  role === "tool" ? ownMillis + waitedMillis : waitedMillis

const ofAll = ({ ownMillis, waitedMillis }: ProcessCpu): number => ownMillis + waitedMillis

/**
 * Whether a task worked between two looks. The agent's own processes are judged one by one, so that idle MCP servers do not
 * add up. Of a command (shell, custom agents) every process is a tool. A sum falls when a process ends: that is a change too.
 */
export const worked = (agent: string, before: CpuUse, after: CpuUse, elapsedMs: number): boolean => {
  const restingShare = restingShares.get(agent)
  const counted = restingShare === undefined ? ofAll : ofTools
  if (Math.abs(sum(after, counted) - sum(before, counted)) >= workingShare * elapsedMs) return true
  if (restingShare === undefined) return false
  const known = new Map(before.map((process) => [process.key, process.ownMillis]))
  return after.some(
    ({ key, ownMillis, role }) => role === "agent" && ownMillis - (known.get(key) ?? 0) >= restingShare * elapsedMs
  )
}
