/** A tool as a plain value: schemas of its input and output, its description, and an effect. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as ContestErrors from "../domain/contest/ContestErrors.ts"
import type * as Errors from "../domain/Errors.ts"
import type { GoalLimitReached } from "../domain/goal/GoalErrors.ts"
import type * as LoopErrors from "../domain/loop/LoopErrors.ts"
import type * as MergeErrors from "../domain/merge/MergeErrors.ts"
import type * as PipelineErrors from "../domain/pipeline/PipelineErrors.ts"
import type * as QuestionErrors from "../domain/questions/QuestionErrors.ts"
import { encoderOf } from "../domain/SchemaCodecs.ts"
import type * as ScheduleErrors from "../domain/schedule/ScheduleErrors.ts"
import type { OutsideTask } from "../domain/task/TaskBoundary.ts"
import type { WakeRefused } from "../domain/wake/Wake.ts"
import type * as WorkspaceErrors from "../domain/workspace/WorkspaceErrors.ts"
import type { Agents } from "../services/Agents.ts"
import type { Budgets } from "../services/Budgets.ts"
import type { Checkpoints } from "../services/Checkpoints.ts"
import type { Contests } from "../services/Contests.ts"
import type { Directories } from "../services/Directories.ts"
import type { EndWatch } from "../services/EndWatch.ts"
import type { Gates } from "../services/Gates.ts"
import type { Git } from "../services/Git.ts"
import type { Host } from "../services/Host.ts"
import type { Ids } from "../services/Ids.ts"
import type { Ledger } from "../services/Ledger.ts"
import type { Limits } from "../services/Limits.ts"
import type { LocalZone } from "../services/LocalZone.ts"
import type { Loops } from "../services/Loops.ts"
import type { MergeGit } from "../services/MergeGit.ts"
import type { Merges } from "../services/Merges.ts"
import type { OutputStore } from "../services/OutputStore.ts"
import type { Paths } from "../services/Paths.ts"
import type { Pipelines } from "../services/Pipelines.ts"
import type { Processes } from "../services/Processes.ts"
import type { Questions } from "../services/Questions.ts"
import type { Queue } from "../services/Queue.ts"
import type { Schedules } from "../services/Schedules.ts"
import type { SettingsStore } from "../services/SettingsStore.ts"
import type { Tasks } from "../services/Tasks.ts"
import type { Wakes } from "../services/Wakes.ts"
import type { WorkerLauncher } from "../services/WorkerLauncher.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import type { WorkspaceGit } from "../services/WorkspaceGit.ts"
import type { Workspaces } from "../services/Workspaces.ts"
import { decodeInput, type InputProblem } from "./fields/Input.ts"
import { inputSchema, outputSchema } from "./fields/JsonSchemas.ts"
import type { JsonObject } from "./forModel.ts"
import type { ProgressLines } from "./protocol/ProgressLines.ts"
import type { Link } from "./protocol/Resources.ts"
import type { Session } from "./protocol/Session.ts"
import type { TaskOfAnswer } from "./TaskStates.ts"
import { withoutShell } from "./withoutShell.ts"

/** The services that a tool may use. */
export type ToolServices =
  | Agents
  | Checkpoints
  | Contests
  | Directories
  | EndWatch
  | Gates
  | Budgets
  | Git
  | Host
  | Ids
  | Ledger
  | Limits
  | LocalZone
  | Loops
  | MergeGit
  | Merges
  | OutputStore
  | Paths
  | Pipelines
  | ProgressLines
  | Processes
  | Questions
  | Queue
  | WorkerLauncher
  | Schedules
  | WorkspaceGit
  | Wakes
  | Workspaces
  | Session
  | SettingsStore
  | Tasks
  | WorkerRegistry

/** The errors of a tool: each has a name to branch on and a message that says what to do. */
export type ToolFailure =
  | Errors.AgentMissing
  | Errors.AgentUnknown
  | Errors.AmbiguousReference
  | Errors.ConfigInvalid
  | Errors.DependencyInvalid
  | Errors.DepthExceeded
  | GoalLimitReached
  | Errors.IdempotencyConflict
  | Errors.InvalidInput
  | Errors.NoDefaultAgent
  | OutsideTask
  | WakeRefused
  | ContestErrors.ContestNotFound
  | LoopErrors.LoopNotFound
  | MergeErrors.MergeFailed
  | MergeErrors.MergeRefused
  | WorkspaceErrors.NotIsolable
  | PipelineErrors.PipelineKeyConflict
  | PipelineErrors.PipelineNotFound
  | PipelineErrors.PipelineRetryConflict
  | QuestionErrors.QuestionNotFound
  | QuestionErrors.TooManyQuestions
  | Errors.WorkerUnavailable
  | ScheduleErrors.ScheduleNotFound
  | ScheduleErrors.ScheduleStateConflict
  | Errors.StorageError
  | Errors.TaskNotFound
  | Errors.TaskStateConflict

/** One call of a tool. */
export interface Call {
  /** The name that the client reported. */
  readonly client: string | null
  /** Whether the client asked for progress. */
  readonly listening: boolean
  /** Whether the client takes a handle instead of an answer. If so, the tool must not wait where it can give one. */
  readonly handleOnly: boolean
  /** Whether it takes an answer where no handle can be given. */
  readonly plainToo: boolean
  /** Sends the progress to the client, as one line for a person. */
  readonly progress: (line: string) => Effect.Effect<void>
}

/** The side effects of a tool, for clients that ask a person before they call it. */
interface Annotations {
  readonly readOnlyHint: boolean
  readonly destructiveHint: boolean
  readonly idempotentHint: boolean
  readonly openWorldHint: boolean
}

interface Spec<I, IE, O, OE> {
  readonly name: string
  readonly title: string
  /** What the tool returns, and when to use it. */
  readonly description: string
  readonly annotations: Annotations
  readonly input: Schema.Schema<I, IE>
  /** What clients are shown of the arguments, where `handle` reads a part of them by other rules than `input`. */
  readonly listed?: Schema.Schema.AnyNoContext
  readonly output: Schema.Schema<O, OE>
  /** Example arguments that show every field; errors quote them. */
  readonly example: IE
  readonly handle: (input: I, call: Call) => Effect.Effect<O, ToolFailure, ToolServices>
  /** Links to more details. */
  readonly links?: (output: O) => ReadonlyArray<Link>
  /** The one task that the answer is about, for clients that prefer a handle. */
  readonly taskOf?: (output: O) => TaskOfAnswer | null
}

/** The result of a call: JSON as its schema encodes it. */
export interface Answer {
  readonly value: JsonObject
  readonly links: ReadonlyArray<Link>
  readonly task: TaskOfAnswer | null
}

/** A tool without type parameters. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly annotations: Annotations
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
  readonly example: unknown
  readonly mayBeTask: boolean
  readonly call: (input: unknown, call: Call) => Effect.Effect<Answer, ToolFailure | InputProblem, ToolServices>
}

const Ready = Schema.parseJson(
  Schema.Record({
    key: Schema.String,
    value: Schema.Struct({
      input: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
      output: Schema.Record({ key: Schema.String, value: Schema.Unknown })
    })
  })
)

const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const ready = once(() =>
  typeof __BACKBEAT_TOOL_SCHEMAS__ === "undefined" ? null : Schema.decodeSync(Ready)(__BACKBEAT_TOOL_SCHEMAS__)
)

/** Generated by the build; otherwise made here from the schemas, which takes longer than the rest of a start. */
const schemasOf = <I, IE, O, OE>(spec: Spec<I, IE, O, OE>) =>
  once(
    () =>
      ready()?.[spec.name] ??
      (typeof __BACKBEAT_TOOL_SCHEMAS__ === "undefined"
        ? { input: inputSchema(spec.listed ?? spec.input), output: outputSchema(spec.output) }
        : { input: {}, output: {} })
  )

const isJsonObject = Schema.is(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

export const tool = <I, IE, O, OE>(spec: Spec<I, IE, O, OE>): Tool => {
  const decode = decodeInput(spec.input, spec.example)
  const encode = encoderOf(spec.output)
  const schemas = schemasOf(spec)
  return {
    name: spec.name,
    title: spec.title,
    description: spec.description,
    annotations: spec.annotations,
    example: spec.example,
    mayBeTask: spec.taskOf !== undefined,
    get inputSchema() {
      return schemas().input
    },
    get outputSchema() {
      return schemas().output
    },
    call: (input, call) =>
      Effect.gen(function* () {
        const output = yield* spec.handle(yield* decode(input), call)
        // A value of Backbeat that does not match its own schema is a defect.
        const value = yield* encode(output).pipe(Effect.orDie)
        if (!isJsonObject(value)) return yield* Effect.dieMessage(`${spec.name} returned a value that is not an object`)
        return { value, links: spec.links?.(output) ?? [], task: spec.taskOf?.(output) ?? null }
      }).pipe(withoutShell, Effect.withSpan(`mcp.${spec.name}`))
  }
}
