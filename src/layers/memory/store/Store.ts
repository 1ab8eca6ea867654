/** The state that the in-memory ports share: what the tables hold, changed by whole steps. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { BudgetName, BudgetStanding } from "../../../domain/budgets/Budget.ts"
import type { Cost } from "../../../domain/budgets/Spend.ts"
import type { Gate } from "../../../domain/gates/Gate.ts"
import type { GroupName } from "../../../domain/gates/GroupName.ts"
import type { AccountKey } from "../../../domain/limits/Account.ts"
import type { Park } from "../../../domain/limits/Park.ts"
import type { Places } from "../../../domain/limits/Places.ts"
import type { Window } from "../../../domain/limits/Window.ts"
import type { Message } from "../../../domain/message/Message.ts"
import type { OutputChunk, StreamState } from "../../../domain/output/Output.ts"
import type { PipelineStep, PipelineSummary } from "../../../domain/pipeline/Pipeline.ts"
import type { Question, QuestionId } from "../../../domain/questions/Question.ts"
import type { Execution, Schedule, Work } from "../../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { Checkpoint, GitHead } from "../../../domain/task/Checkpoint.ts"
import type { Environment, Launch } from "../../../domain/task/NewTask.ts"
import type { PipelineId, Task, TaskId } from "../../../domain/task/Task.ts"
import type { TerminalEvent } from "../../../domain/task/TerminalEvent.ts"
import type { PricedUse } from "../../../domain/usage/ModelUse.ts"
import type { SessionTotal } from "../../../domain/usage/SessionTotals.ts"
import type { Claim, ClaimId, StartProblem } from "../../../domain/worker/Claim.ts"
import type { Worker, WorkerId } from "../../../domain/worker/Worker.ts"
import type { AskedOver } from "../../../services/OutputStore.ts"

/** A task with what its start needs. The byte counts in `task` are filled in on reading, from the streams. */
export interface StoredTask {
  readonly task: Task
  readonly launch: Launch
  /** Key into `environments`. */
  readonly environment: string
  /** How often it was edited. */
  readonly revision: number
  /** The session in which it continues after it was parked. */
  readonly resumeSession: string | null
  /** What was left of its timeout when it was parked. */
  readonly timeLeftMs: number | null
  readonly traceparent: string | null
}

export interface StoredOutput {
  readonly chunks: ReadonlyArray<OutputChunk>
  readonly streams: ReadonlyArray<StreamState>
  readonly lastSeq: number
}

type PipelineFields = Omit<PipelineSummary, "status" | "counts" | "startedAt" | "endedAt">
type StepFields = Omit<PipelineStep, "position" | "status" | "kept" | "task" | "contest">

export interface StoredPipeline extends PipelineFields {
  readonly digest: string
  readonly steps: ReadonlyArray<StepFields & { readonly taskId: TaskId }>
}

/** What the claim of a running task holds of its budgets. */
export interface LiveClaim {
  readonly reserve: Cost
  readonly cost: Cost
  readonly uses: ReadonlyArray<PricedUse>
}

export interface LedgerEntry extends PricedUse {
  readonly claimId: ClaimId
  readonly at: number
  readonly task: Pick<Task, "id" | "agent" | "model" | "account" | "directory" | "pipelineId" | "labels">
  readonly parkedMs: number
}

export interface StoredAccount {
  readonly agent: string
  readonly places: Places
  readonly joinedTo: AccountKey | null
  readonly seenAt: number
}

export interface StoredMessage extends Message {
  /** The claim whose agent it was written to. */
  readonly claimId: ClaimId | null
}

/** A question with the claim whose turn begins with its answer. */
export interface StoredQuestion {
  readonly question: Question
  readonly claimId: ClaimId | null
}

export interface StoredSchedule {
  readonly schedule: Schedule
  readonly work: Work
}

/** What an agent has asked over its stream. */
export interface StoredRequest extends AskedOver {
  readonly seq: number
  readonly claimId: ClaimId
  readonly questions: ReadonlyArray<QuestionId>
  readonly written: boolean
}

export interface State {
  /** In order of arrival. */
  readonly tasks: ReadonlyMap<TaskId, StoredTask>
  readonly lastSeq: number
  readonly environments: ReadonlyMap<string, Environment>
  /** In order of claim. */
  readonly claims: ReadonlyMap<TaskId, Claim>
  /** Every claim there ever was, so that a lost one can still name its task. */
  readonly claimHistory: ReadonlyMap<ClaimId, TaskId>
  readonly startProblems: ReadonlyMap<TaskId, StartProblem>
  readonly workers: ReadonlyMap<WorkerId, Worker>
  readonly accounts: ReadonlyMap<AccountKey, StoredAccount>
  readonly windows: ReadonlyArray<Window>
  readonly ledger: ReadonlyArray<LedgerEntry>
  /** By agent, session and model. */
  readonly sessionTotals: ReadonlyMap<string, SessionTotal>
  readonly budgets: ReadonlyMap<BudgetName, BudgetStanding>
  /** What running tasks hold of their budgets. */
  readonly live: ReadonlyMap<TaskId, LiveClaim>
  readonly gates: ReadonlyArray<Gate>
  /** In order of arrival. */
  readonly questions: ReadonlyArray<StoredQuestion>
  readonly lastQuestion: number
  /** What agents have asked over their streams, in order. */
  readonly requests: ReadonlyArray<StoredRequest>
  /** The limit of each. */
  readonly groups: ReadonlyMap<GroupName, number | null>
  readonly parks: ReadonlyMap<TaskId, ReadonlyArray<Park>>
  /** In order of arrival. */
  readonly messages: ReadonlyArray<StoredMessage>
  /** Claims whose agent gets no more messages. */
  readonly closedInputs: ReadonlySet<ClaimId>
  readonly output: ReadonlyMap<TaskId, StoredOutput>
  readonly outbox: ReadonlyArray<TerminalEvent>
  /** The state of the repository when the task's agent started. */
  readonly starts: ReadonlyMap<TaskId, GitHead>
  readonly checkpoints: ReadonlyMap<TaskId, Checkpoint>
  /** The last event whose checkpoint is dealt with. */
  readonly checkpointsReached: number
  /** In order of arrival. */
  readonly pipelines: ReadonlyMap<PipelineId, StoredPipeline>
  readonly lastPipeline: number
  /** In order of arrival. */
  readonly schedules: ReadonlyMap<ScheduleId, StoredSchedule>
  readonly lastSchedule: number
  /** Of each schedule, by the time they were due. */
  readonly executions: ReadonlyMap<ScheduleId, ReadonlyArray<Execution>>
  /** The number of the newest event there ever was: pruning does not lower it. */
  readonly lastEvent: number
  readonly commits: number
}

const empty: State = {
  tasks: new Map(),
  lastSeq: 0,
  environments: new Map(),
  claims: new Map(),
  claimHistory: new Map(),
  startProblems: new Map(),
  workers: new Map(),
  accounts: new Map(),
  windows: [],
  ledger: [],
  sessionTotals: new Map(),
  budgets: new Map(),
  live: new Map(),
  gates: [],
  questions: [],
  lastQuestion: 0,
  requests: [],
  groups: new Map(),
  parks: new Map(),
  messages: [],
  closedInputs: new Set(),
  output: new Map(),
  outbox: [],
  starts: new Map(),
  checkpoints: new Map(),
  checkpointsReached: 0,
  pipelines: new Map(),
  lastPipeline: 0,
  schedules: new Map(),
  lastSchedule: 0,
  executions: new Map(),
  lastEvent: 0,
  commits: 0
}

/** A value and the state after a step. */
export type Step<A> = readonly [A, State]

export class Store extends Context.Tag("backbeat/memory/Store")<
  Store,
  {
    readonly read: <A>(look: (state: State, now: number) => A) => Effect.Effect<A>
    /** One transaction: on `Left` nothing of the step stays. */
    readonly write: <A, E>(step: (state: State, now: number) => Either.Either<Step<A>, E>) => Effect.Effect<A, E>
  }
>() {}

/** The map with `key` set: a new key comes last, a known one keeps its place. */
export const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value)

export const without = <K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> => {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

/** The task as a reader sees it, with its byte counts. */
export const taskIn = (state: State, id: TaskId): Task | undefined => {
  const stored = state.tasks.get(id)
  if (stored === undefined) return undefined
  const streams = state.output.get(id)?.streams ?? []
  return {
    ...stored.task,
    bytesStored: streams.reduce((sum, stream) => sum + stream.stored, 0),
    bytesDropped: streams.reduce((sum, stream) => sum + stream.dropped, 0)
  }
}

/** The state with fields of one task changed. */
export const changed = (state: State, id: TaskId, fields: Partial<Task>): State => {
  const stored = state.tasks.get(id)
  return stored === undefined
    ? state
    : { ...state, tasks: put(state.tasks, id, { ...stored, task: { ...stored.task, ...fields } }) }
}

export const claimWith = (state: State, claimId: ClaimId): Claim | undefined =>
  Array.from(state.claims.values()).find((claim) => claim.claimId === claimId)

export const layer = Layer.effect(
  Store,
  Effect.map(Ref.make(empty), (ref) =>
    Store.of({
      read: (look) => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.map(Ref.get(ref), (s) => look(s, now))),
      write: <A, E>(step: (state: State, now: number) => Either.Either<Step<A>, E>) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.flatten(
            Ref.modify(ref, (state): readonly [Either.Either<A, E>, State] =>
              Either.match(step(state, now), {
                onLeft: (error) => [Either.left(error), state],
                onRight: ([value, next]) => [
                  Either.right(value),
                  next === state ? state : { ...next, commits: state.commits + 1 }
                ]
              })
            )
          )
        )
    })
  )
)
