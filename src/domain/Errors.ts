/** The errors that callers distinguish. Attributes never carry prompts, output or environment. */
import * as Schema from "effect/Schema"
import { OtherKind, otherKindText } from "./OtherKind.ts"
import { isTerminal, TaskId, TaskStatus } from "./task/Task.ts"

/** The store failed. `reason` says what to do about it. */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  operation: Schema.String,
  reason: Schema.Literal(
    "busy",
    "full",
    "read-only",
    "unreadable",
    "corrupt",
    "unfit",
    "schema-too-old",
    "schema-too-new",
    "unreleased",
    "other-user",
    "moved",
    "unknown"
  ),
  path: Schema.NullOr(Schema.String),
  cause: Schema.Defect
}) {
  override get message(): string {
    const where = this.path ?? "the database"
    switch (this.reason) {
      case "busy":
        return `${where} stayed locked by another process during ${this.operation}. Try again; 'beat doctor' shows who is running.`
      case "full":
        return `No space left on the disk of ${where} (${this.operation}). Free some space; work then continues automatically.`
      case "read-only":
        return `${where} cannot be written (${this.operation}). Make its directory writable, or point BACKBEAT_HOME elsewhere.`
      case "unreadable":
        return `${where} cannot be opened, read or written (${this.operation}). Check the path, its permissions, the disk and 'ulimit -a', or set BACKBEAT_HOME.`
      case "corrupt":
        return `${where} is damaged or not a Backbeat database (${this.operation}). Run 'beat doctor'; backups are in the same directory.`
      case "unfit":
        return `A value in ${where} does not fit this version of Backbeat (${this.operation}). 'beat doctor' checks the file.`
      case "schema-too-old":
        return `${where} was written by an older Backbeat and this command does not change it. Run 'beat init' to bring it up to date.`
      case "schema-too-new":
        return `${where} was written by a newer Backbeat. Update this one: npm install -g backbeat`
      case "unreleased":
        return `${where} was made by an unreleased Backbeat, whose tables this version does not read. Move it aside and start again: mv '${where}' '${where}.old'`
      case "other-user":
        return `${where} is not yours: ${this.cause instanceof Error ? this.cause.message : "it belongs to another user"}. Run this as its owner, or set BACKBEAT_HOME to a directory of your own.`
      case "moved":
        return `${where} was removed or replaced after this program opened it: nothing is read or written any more (${this.operation}). Start the program again.`
      case "unknown":
        return `The store failed in ${this.operation} (${where}).`
    }
  }
}

const passing: ReadonlySet<StorageError["reason"]> = new Set(["busy", "full", "read-only", "unreadable", "unknown"])

/** Whether the same operation may succeed later. What does not fit its schema, or is damaged, never does. */
export const passes = ({ reason }: StorageError): boolean => passing.has(reason)

export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", {
  reference: Schema.String,
  /** What the reference names instead. */
  other: Schema.optional(OtherKind)
}) {
  override get message(): string {
    if (this.other !== undefined) return otherKindText(this.other, "task")
    return this.reference === "@last"
      ? 'There is no task yet. Start one: beat run "..."'
      : `No task '${this.reference}'. 'beat list' shows the ids.`
  }
}

export class AmbiguousReference extends Schema.TaggedError<AmbiguousReference>()("AmbiguousReference", {
  reference: Schema.String,
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `'${this.reference}' fits more than one: ${this.candidates.join(", ")}. Give more characters.`
  }
}

/** A compare-and-set found the task in another status than the step allows. */
export class TaskStateConflict extends Schema.TaggedError<TaskStateConflict>()("TaskStateConflict", {
  id: TaskId,
  step: Schema.String,
  actual: TaskStatus,
  /** What else is to be known of its state. */
  note: Schema.optional(Schema.String)
}) {
  override get message(): string {
    if (this.note !== undefined) return `Task ${this.id} is ${this.actual} and cannot ${this.step} now: ${this.note}`
    const wait = isTerminal(this.actual) ? "" : ` Wait for its end: beat wait ${this.id}`
    return `Task ${this.id} is ${this.actual}: it cannot ${this.step} now.${wait}`
  }
}

/** The idempotency key was used before for a different task. */
export class IdempotencyConflict extends Schema.TaggedError<IdempotencyConflict>()("IdempotencyConflict", {
  key: Schema.String,
  existing: TaskId
}) {
  override get message(): string {
    return `The key '${this.key}' already belongs to task ${this.existing}, which was submitted with another prompt, agent, directory or loop. Use a new key.`
  }
}

export class DepthExceeded extends Schema.TaggedError<DepthExceeded>()("DepthExceeded", {
  depth: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `A task at depth ${this.depth} is past the limit of ${this.limit}: agents may not delegate that deep. Raise it with 'beat config set maxDepth ${this.depth}'.`
  }
}

/** A dependency that cannot be: nothing was stored or changed. */
export class DependencyInvalid extends Schema.TaggedError<DependencyInvalid>()("DependencyInvalid", {
  problem: Schema.Literal("self", "cycle", "too-many", "too-deep", "two-policies", "no-member", "unmet"),
  /** A task, or what the numbers are. */
  subject: Schema.String
}) {
  override get message(): string {
    switch (this.problem) {
      case "self":
        return `Task ${this.subject} cannot wait for itself.`
      case "cycle":
        return `Task ${this.subject} would wait for itself through others: a cycle. Leave one of these dependencies out.`
      case "too-many":
        return `${this.subject} dependencies are more than the 100 a task may have. Put a task in between that waits for some of them.`
      case "too-deep":
        return `More than 100 tasks would wait for one another in a row before ${this.subject}. Start some of them independently.`
      case "two-policies":
        return `Task ${this.subject} is named twice with different policies. Name it once.`
      case "no-member":
        return `There is no task number ${this.subject} in this batch to depend on.`
      case "unmet":
        return `Task ${this.subject} has ended otherwise than this dependency asks: it can never be met.`
    }
  }
}

/** An argument or setting is not acceptable. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  field: Schema.String,
  problem: Schema.String,
  example: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}${this.example === null ? "" : ` (for example ${this.example})`}`
  }
}

/** What a person may call an agent. */
export const agentName = /^[a-z][a-z0-9-]{0,31}$/

/** Characters of a wrong name in an error. */
const longestShown = 60

export class AgentUnknown extends Schema.TaggedError<AgentUnknown>()("AgentUnknown", {
  agent: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const own = agentName.test(this.agent)
      ? ` A custom one: beat config set agents.${this.agent}.command '["program", "{prompt}"]'`
      : ""
    const shown = this.agent.length > longestShown ? `${this.agent.slice(0, longestShown)}…` : this.agent
    return `There is no agent '${shown}'. Known: ${this.known.join(", ")}.${own}`
  }
}

export class AgentMissing extends Schema.TaggedError<AgentMissing>()("AgentMissing", {
  agent: Schema.String,
  program: Schema.String,
  install: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    const [problem, own] = this.program.includes("/")
      ? ["is not an executable file", "correct its path or mode"]
      : ["is not on your PATH", "put it on your PATH"]
    const fix = this.install === null ? own : `install it: ${this.install}`
    return `The program '${this.program}' of agent '${this.agent}' ${problem}; ${fix}. 'beat agents list' shows what is there.`
  }
}

export class NoDefaultAgent extends Schema.TaggedError<NoDefaultAgent>()("NoDefaultAgent", {
  installed: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const [first] = this.installed
    return first === undefined
      ? "No agent was named, none is the default, and none is installed. Install one (npm install -g @anthropic-ai/claude-code), or run a shell command: beat run -a shell '...'"
      : `No agent was named and none is the default. Choose one: beat config set defaultAgent ${first} (installed: ${this.installed.join(", ")})`
  }
}

/** The agent's process could not be started. */
export class SpawnFailed extends Schema.TaggedError<SpawnFailed>()("SpawnFailed", {
  reason: Schema.Literal(
    "program-missing",
    "directory-missing",
    "arguments-too-long",
    "spool",
    "system",
    "no-candidate",
    "loop-missed"
  ),
  subject: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    switch (this.reason) {
      case "program-missing":
        return `The program ${this.subject} no longer exists or is not executable. Install it again, then: beat retry`
      case "directory-missing":
        return `The directory ${this.subject} no longer exists. Create it again, then: beat retry`
      case "arguments-too-long":
        return `The arguments and environment for ${this.subject} are larger than the system allows. Shorten --env, or submit with capture: allowlist.`
      case "spool":
        return `The spool directory ${this.subject} could not be written (${this.detail}). Check the disk and its permissions.`
      case "no-candidate":
        return `None of its candidates is kept: beat status ${this.subject}`
      case "loop-missed":
        return `Its loop ended as ${this.detail}: beat loop status ${this.subject}`
      case "system":
        return `The system could not start ${this.subject} (${this.detail}).`
    }
  }
}

/** A configuration file or a setting could not be read. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.path}: ${this.problem}`
  }
}

/** No worker could be started. */
export class WorkerUnavailable extends Schema.TaggedError<WorkerUnavailable>()("WorkerUnavailable", {
  detail: Schema.String,
  log: Schema.String
}) {
  override get message(): string {
    return `No worker could be started (${this.detail}). Its log: ${this.log}. In the foreground: beat worker`
  }
}

/** The MCP server did not do what a client expects of it. */
export class ProbeFailed extends Schema.TaggedError<ProbeFailed>()("ProbeFailed", {
  problem: Schema.String,
  /** The last lines it wrote to stderr. */
  stderr: Schema.String
}) {
  override get message(): string {
    return this.stderr === "" ? this.problem : `${this.problem}; it said: ${this.stderr}`
  }
}
