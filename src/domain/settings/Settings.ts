/** Settings: their schema, their bounds and their defaults, written once. */
import * as Schema from "effect/Schema"
import { agentName } from "../Errors.ts"
import { HooksSettings } from "../hooks/Hook.ts"
import { Reserve } from "../limits/Reserve.ts"
import { named } from "../Named.ts"
import { ApproveRules } from "../questions/AgentRequest.ts"
import { Prices } from "../usage/Price.ts"

/** What the config file may say about one agent. */
export const AgentSettings = Schema.Struct({
  /** Given to the agent in the variable it reads its key from. */
  apiKey: Schema.optional(Schema.Redacted(Schema.NonEmptyString)),
  baseUrl: Schema.optional(Schema.NonEmptyString),
  model: Schema.optional(Schema.NonEmptyString),
  /** Extra arguments, put before the prompt. */
  args: Schema.optional(Schema.Array(Schema.String)),
  env: Schema.optional(named(Schema.String, Schema.String)),
  /** The program to run in place of the one found on PATH. */
  program: Schema.optional(Schema.NonEmptyString),
  /**
   * Makes a custom agent: program and arguments, in which `{prompt}`, `{promptFile}`, `{model}` and `{system}` are
   * filled in. Without `{prompt}` and `{promptFile}` the prompt comes on stdin.
   */
  command: Schema.optional(Schema.NonEmptyArray(Schema.NonEmptyString)),
  /** The built-in agent whose account a custom agent uses: it then waits for the limits of that account. */
  account: Schema.optional(Schema.Literal("claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen")),
  /** The part of each window that is kept for a person at these hours: tasks in the queue leave it. */
  reserve: Schema.optional(Reserve),
  /** How many times the agent may retry a failed model request internally; null leaves it to the agent. */
  retries: Schema.optional(Schema.NullOr(Schema.Int.pipe(Schema.between(0, 100)))),
  stallMs: Schema.optional(Schema.NullOr(Schema.Int.pipe(Schema.nonNegative()))),
  /** Whether the agent takes messages while it runs. */
  steer: Schema.optional(Schema.Boolean),
  /** Which tools are allowed or denied without a person, with `beat run --approve`. */
  approve: Schema.optional(ApproveRules)
}).annotations({ identifier: "AgentSettings" })
export type AgentSettings = typeof AgentSettings.Type

/** One sentence for every way to miss it: a text, a fraction, out of bounds. */
const bounded = (low: number, high: number, example: number) => {
  const message = () => `expected a whole number from ${low} to ${high}, for example ${example}`
  return Schema.Number.annotations({ message }).pipe(Schema.int({ message }), Schema.between(low, high, { message }))
}

const day = 24 * 60 * 60 * 1000

/** The config file: every field may be left out. */
export const SettingsFile = Schema.Struct({
  defaultAgent: Schema.optional(Schema.NonEmptyString),
  /** Tasks that run at the same time, over all processes. Default: the number of cores, at least 2. */
  maxConcurrency: Schema.optional(bounded(1, 1000, 4)),
  /** How deep agents may delegate. */
  maxDepth: Schema.optional(bounded(0, 100, 3)),
  /** Default timeout in milliseconds; 0 is none. */
  timeoutMs: Schema.optional(bounded(0, 365 * day, 1_800_000)),
  /** Silence without CPU use that ends a task, in milliseconds; 0 is off. */
  stallMs: Schema.optional(bounded(0, 365 * day, 1_800_000)),
  /** Bytes kept of each output stream. */
  maxOutputBytes: Schema.optional(bounded(1024, 4 * 1024 ** 3, 10_000_000)),
  /** Bytes a task may print to one stream before it is ended with cause `output-limit`; the spool holds them all. */
  maxSpoolBytes: Schema.optional(bounded(1024, 1024 ** 4, 4_294_967_296)),
  /** Between TERM and KILL, in milliseconds. */
  graceMs: Schema.optional(bounded(0, 600_000, 3000)),
  /** What happens to processes that an agent leaves behind. */
  leftovers: Schema.optional(Schema.Literal("end", "keep")),
  /** How often one task may wait for limits. */
  maxParks: Schema.optional(bounded(0, 1000, 30)),
  /** How long an agent with sessions may wait in its turn for an answer before it is parked, in milliseconds. */
  askParkMs: Schema.optional(bounded(0, day, 600_000)),
  /** What a task does that would be billed on top of its plan: it waits for the limit, or it continues and costs money. */
  overage: Schema.optional(Schema.Literal("wait", "allow")),
  /** How much of a window is left unused, in percent: no further task of the account starts then. */
  headroomPercent: Schema.optional(bounded(0, 90, 3)),
  /** US dollars for a million tokens of a model, in place of the list price. */
  prices: Schema.optional(Prices),
  /** Which of the submitter's variables a task gets. */
  capture: Schema.optional(Schema.Literal("full", "allowlist")),
  /** Names added to the built-in list when `capture` is `allowlist`; a trailing `*` matches the rest. */
  captureAllow: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** Available memory in bytes that starting a task must leave. */
  memoryReserveBytes: Schema.optional(bounded(0, 1024 ** 4, 536_870_912)),
  /** Memory in bytes that a task just started is expected to use. */
  memoryPerTaskBytes: Schema.optional(bounded(0, 1024 ** 4, 419_430_400)),
  /** How long an on-demand worker stays when there is nothing to do, in milliseconds. */
  idleMs: Schema.optional(bounded(0, day, 2000)),
  /** Whether an agent sees its workspace at the path of the repository. `always` fails a task where that is not possible. */
  workspaceMount: Schema.optional(Schema.Literal("auto", "always", "never")),
  /** Ignored files that every workspace gets a copy of, as patterns of .gitignore; in addition to `.worktreeinclude`. */
  workspaceInclude: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** Directories whose tasks are isolated unless they say otherwise, at or below them; absolute, or below `~`. */
  isolate: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** Bytes that workspaces may hold: at this limit none is made until others are reclaimed. 0: no limit. */
  workspaceMaxBytes: Schema.optional(bounded(0, 1024 ** 5, 20_000_000_000)),
  /** How long an unused workspace stays, in milliseconds. */
  workspaceKeepMs: Schema.optional(bounded(0, 365 * day, 604_800_000)),
  /** How long a reclaimed workspace stays in the trash, in milliseconds. */
  workspaceTrashMs: Schema.optional(bounded(0, 365 * day, 604_800_000)),
  /** Whether MCP clients may run shell commands as tasks, as evaluations of loops and as checks of merges. */
  mcpShell: Schema.optional(Schema.Boolean),
  /** Commands and addresses that get notices, by name. */
  hooks: Schema.optional(HooksSettings),
  agents: Schema.optional(
    Schema.Record({
      key: Schema.String.pipe(Schema.pattern(agentName)),
      value: AgentSettings
    })
  )
}).annotations({ identifier: "Settings", parseOptions: { onExcessProperty: "error" } })
export type SettingsFile = typeof SettingsFile.Type
/** As the file has it: secrets are plain texts. */
export type WrittenSettings = typeof SettingsFile.Encoded

/** Settings with every default filled in. Null times are "none". */
export interface Settings {
  readonly defaultAgent: string | null
  readonly maxConcurrency: number
  readonly maxDepth: number
  readonly timeoutMs: number | null
  readonly stallMs: number | null
  readonly maxOutputBytes: number
  readonly maxSpoolBytes: number
  readonly graceMs: number
  readonly leftovers: "end" | "keep"
  readonly maxParks: number
  readonly askParkMs: number
  readonly overage: "wait" | "allow"
  readonly headroomPercent: number
  readonly prices: Prices
  readonly capture: "full" | "allowlist"
  readonly captureAllow: ReadonlyArray<string>
  readonly memoryReserveBytes: number
  readonly memoryPerTaskBytes: number
  readonly idleMs: number
  readonly workspaceMount: "auto" | "always" | "never"
  readonly workspaceInclude: ReadonlyArray<string>
  readonly isolate: ReadonlyArray<string>
  readonly workspaceMaxBytes: number | null
  readonly workspaceKeepMs: number
  readonly workspaceTrashMs: number
  readonly mcpShell: boolean
  readonly hooks: HooksSettings
  readonly agents: Readonly<Record<string, AgentSettings>>
}

const orNull = (value: number): number | null => (value === 0 ? null : value)

/** Fills in the defaults. `cores` is the number of processors of this machine. */
export const withDefaults = (file: SettingsFile, cores: number): Settings => ({
  defaultAgent: file.defaultAgent ?? null,
  maxConcurrency: file.maxConcurrency ?? Math.max(2, cores),
  maxDepth: file.maxDepth ?? 3,
  timeoutMs: orNull(file.timeoutMs ?? 0),
  stallMs: orNull(file.stallMs ?? 30 * 60 * 1000),
  maxOutputBytes: file.maxOutputBytes ?? 10 * 1000 * 1000,
  maxSpoolBytes: file.maxSpoolBytes ?? 4 * 1024 ** 3,
  graceMs: file.graceMs ?? 3000,
  leftovers: file.leftovers ?? "end",
  maxParks: file.maxParks ?? 30,
  askParkMs: file.askParkMs ?? 10 * 60 * 1000,
  overage: file.overage ?? "wait",
  headroomPercent: file.headroomPercent ?? 3,
  prices: file.prices ?? {},
  capture: file.capture ?? "full",
  captureAllow: file.captureAllow ?? [],
  memoryReserveBytes: file.memoryReserveBytes ?? 512 * 1024 ** 2,
  memoryPerTaskBytes: file.memoryPerTaskBytes ?? 400 * 1024 ** 2,
  idleMs: file.idleMs ?? 2000,
  workspaceMount: file.workspaceMount ?? "auto",
  workspaceInclude: file.workspaceInclude ?? [],
  isolate: file.isolate ?? [],
  workspaceMaxBytes: orNull(file.workspaceMaxBytes ?? 0),
  workspaceKeepMs: file.workspaceKeepMs ?? 7 * day,
  workspaceTrashMs: file.workspaceTrashMs ?? 7 * day,
  mcpShell: file.mcpShell ?? true,
  hooks: file.hooks ?? {},
  agents: file.agents ?? {}
})
