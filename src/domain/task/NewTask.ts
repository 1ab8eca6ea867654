/** A task as it is handed over, with everything it will need captured: nothing is taken from the worker that runs it. */
import * as Schema from "effect/Schema"
import { GroupName } from "../gates/GroupName.ts"
import { Account } from "../limits/Account.ts"
import { LoopPlan } from "../loop/LoopPlan.ts"
import { InputFormat } from "../message/Message.ts"
import { isName } from "../Named.ts"
import { Asks } from "../questions/AgentRequest.ts"
import { Traceparent } from "../traces/TraceContext.ts"
import { WorkspaceRequest } from "../workspace/Workspace.ts"
import {
  ByteCount,
  Continuation,
  DependencyPolicy,
  Fallback,
  Labels,
  MaxRetries,
  Millis,
  OnLimit,
  Priority,
  TaskId,
  Timestamp
} from "./Task.ts"

/** How to start the agent, decided at submit time. */
export const Launch = Schema.Struct({
  /** Absolute path of the program. */
  file: Schema.NonEmptyString,
  args: Schema.Array(Schema.String),
  /**
   * Positions in `args` whose `{prompt}` (the text) and `{promptFile}` (a file that holds it) are filled in at the start.
   * Braces in other arguments stay as they are.
   */
  promptAt: Schema.Array(Schema.Int),
  /**
   * `prompt`: the agent reads its prompt from stdin. `none`: stdin is `/dev/null`. The others stay open for messages:
   * `stream-json` with the prompt as the first one, `lines` without it.
   */
  stdin: Schema.Literal("prompt", "none", ...InputFormat.literals),
  /** Put before the prompt wherever it is handed over: the system prompt, for agents that take none. */
  promptPrefix: Schema.optional(Schema.String),
  /** The user who submitted the task. Only a worker of this user claims it; where it is missing, any does. */
  uid: Schema.optional(Schema.Int.pipe(Schema.nonNegative())),
  /** Names of the variables that come from the config and not from the submitter: a retry reads them again. */
  configured: Schema.optional(Schema.Array(Schema.String)),
  /** Names of the variables that the submitter gave to this task alone: a retry gives them again. */
  given: Schema.optional(Schema.Array(Schema.String)),
  /** The submitter's umask. Without it, the environment was captured by an older rule and is filtered at the start. */
  umask: Schema.optional(Schema.Int.pipe(Schema.between(0, 0o777))),
  /** How the agent starts the MCP server of Backbeat, where the agent gets it without set-up. */
  server: Schema.optional(
    Schema.Struct({
      command: Schema.NonEmptyString,
      args: Schema.Array(Schema.String),
      env: Schema.Record({ key: Schema.String, value: Schema.String })
    })
  ),
  /** What the agent asks a person over its stdin, and which rules answer first. Missing: nothing. */
  asks: Schema.optional(Asks),
  /** The submitter's niceness, -20 to 19. */
  niceness: Schema.optional(Schema.Int.pipe(Schema.between(-20, 19))),
  /** The loop that its start begins. Its agent starts when that loop has ended, and only if the loop has reached its aim. */
  loop: Schema.optional(LoopPlan)
}).annotations({ identifier: "Launch" })
export type Launch = typeof Launch.Type

/** How the agent of a launch takes messages while it runs; null: it does not. */
export const inputFormatOf = ({ stdin }: Pick<Launch, "stdin">): InputFormat | null =>
  stdin === "prompt" || stdin === "none" ? null : stdin

/** Environment variables. Never printed, logged or put into an error. */
export const Environment = Schema.Record({ key: Schema.String.pipe(Schema.filter(isName)), value: Schema.String })
export type Environment = typeof Environment.Type

/** A task that is stored, or one of the same batch by its place in it, from 0. */
export const Upstream = Schema.Union(TaskId, Schema.Struct({ member: Schema.Int.pipe(Schema.nonNegative()) }))
export type Upstream = typeof Upstream.Type

export const NewDependency = Schema.Struct({ upstream: Upstream, policy: DependencyPolicy })
export type NewDependency = typeof NewDependency.Type

export const NewTask = Schema.Struct({
  prompt: Schema.String,
  systemPrompt: Schema.NullOr(Schema.String),
  priority: Priority,
  agent: Schema.NonEmptyString,
  model: Schema.NullOr(Schema.String),
  /** Missing: no limit is known to count against it. */
  account: Schema.optionalWith(Account, { exact: true }),
  /** Missing: none. */
  group: Schema.optionalWith(Schema.NullOr(GroupName), { exact: true }),
  directory: Schema.String,
  timeoutMs: Schema.NullOr(Millis),
  stallMs: Schema.NullOr(Millis),
  maxOutputBytes: ByteCount,
  notBefore: Schema.NullOr(Timestamp),
  /** The task whose agent submits this one. Its row decides the depth where it is in the same store. */
  parentId: Schema.NullOr(TaskId),
  /** The depth the submitter claims, used where the parent is not in this store. */
  depth: Schema.Int.pipe(Schema.nonNegative()),
  /** Where its submitter was in a trace. Missing: below its parent or where its original is, otherwise it begins a trace. */
  traceparent: Schema.optionalWith(Traceparent, { exact: true }),
  retryOf: Schema.NullOr(TaskId),
  continuation: Schema.NullOr(Continuation),
  /** What must end first. At most 100, each task once; a dependency that has already ended is resolved immediately. */
  dependsOn: Schema.Array(NewDependency),
  /** Implies a dependency on its success, where `dependsOn` says nothing else of it. */
  continueFrom: Schema.NullOr(Upstream),
  maxRetries: MaxRetries,
  backoffMs: Millis,
  onLimit: Schema.optionalWith(OnLimit, { exact: true }),
  giveUpMs: Schema.optionalWith(Millis, { exact: true }),
  fallback: Schema.optionalWith(Fallback, { exact: true }),
  spare: Schema.optionalWith(Schema.Boolean, { exact: true }),
  /** What it may spend with its retries and everything that it submits, in millionths of a US dollar. Missing: not bounded. */
  budgetMicro: Schema.optionalWith(Schema.Int.pipe(Schema.positive()), { exact: true }),
  idempotencyKey: Schema.NullOr(Schema.String.pipe(Schema.minLength(1), Schema.maxLength(256))),
  labels: Labels,
  launch: Launch,
  environment: Environment,
  /** The workspace that it works in. Without one it works in `directory` itself. */
  workspace: Schema.optionalWith(WorkspaceRequest, { exact: true }),
  /** The session id given to the agent, where it accepts one. */
  sessionId: Schema.NullOr(Schema.String)
})
export type NewTask = typeof NewTask.Type

/**
 * The task for another start of the same launch: a session that was given to the agent by its id exists after the first
 * start, and the agent would refuse it.
 */
export const withFreshSession = <T extends Pick<NewTask, "continuation" | "launch" | "sessionId">>(
  task: T,
  session: string
): T => {
  const { launch, sessionId } = task
  if (sessionId === null || task.continuation === "session") return task
  const args = launch.args.map((arg, at) => (launch.promptAt.includes(at) ? arg : arg.replaceAll(sessionId, session)))
  return { ...task, sessionId: session, launch: { ...launch, args } }
}
