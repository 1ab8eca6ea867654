/** The shapes of rows, derived from the domain's schemas, and the columns that each shape is read from. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { AccountKey } from "../../../domain/limits/Account.ts"
import { outside } from "../../../domain/output/Gap.ts"
import { OutputChunk } from "../../../domain/output/Output.ts"
import { Environment, Launch } from "../../../domain/task/NewTask.ts"
import { Outcome } from "../../../domain/task/Outcome.ts"
import { ByteCount, Dependency, Fallback, Labels, TaskSummary, Timestamp, Usage } from "../../../domain/task/Task.ts"
import { Traceparent } from "../../../domain/traces/TraceContext.ts"
import { Claim } from "../../../domain/worker/Claim.ts"
import { Pid } from "../../../domain/worker/Process.ts"
import { Uid, Worker } from "../../../domain/worker/Worker.ts"
import { CommitId } from "../../../domain/workspace/Workspace.ts"

/** A note on a task is left out where it cannot be read: no run of the task depends on it. */
const storedUsage = Schema.NullOr(Schema.parseJson(Usage)).annotations({
  decodingFallback: () => Effect.succeed(null)
})
const storedLabels = Schema.parseJson(Labels).annotations({ decodingFallback: () => Effect.succeed({}) })

/** An account that cannot be read is none: no limit holds the task then. */
export const storedAccount = Schema.NullOr(AccountKey).annotations({ decodingFallback: () => Effect.succeed(null) })
const storedFallback = Schema.parseJson(Fallback).annotations({ decodingFallback: () => Effect.succeed([]) })

/** A column of 0 or 1. */
export const storedFlag = Schema.transform(Schema.Literal(0, 1), Schema.Boolean, {
  strict: true,
  decode: (value) => value === 1,
  encode: (value) => (value ? 1 : 0)
})

export const SummaryRow = Schema.Struct({
  ...TaskSummary.fields,
  account: storedAccount,
  fallback: storedFallback,
  labels: storedLabels,
  spare: storedFlag,
  usage: storedUsage
})

export const TaskRow = Schema.Struct({
  ...SummaryRow.fields,
  answer: Schema.NullOr(Schema.String),
  prompt: Schema.String,
  systemPrompt: Schema.NullOr(Schema.String),
  dependsOn: Schema.parseJson(Schema.Array(Dependency))
})

export const StoredLaunch = Schema.parseJson(Launch)
export const StoredEnvironment = Schema.parseJson(Environment)

/** One that cannot be read is none: the task begins a trace then. */
export const StoredTraceparent = Schema.NullOr(Traceparent).annotations({
  decodingFallback: () => Effect.succeed(null)
})

/** A task with what its start needs. */
export const ClaimedRow = Schema.Struct({
  ...TaskRow.fields,
  launch: StoredLaunch,
  variables: StoredEnvironment,
  resumeSession: Schema.NullOr(Schema.String),
  traceparent: StoredTraceparent
})

/** What is written of a task when it arrives. */
export const ArrivalRow = Schema.Struct({
  uid: Uid,
  lane: Schema.Int,
  traceparent: Schema.NullOr(Traceparent),
  ...SummaryRow.pick(
    "id",
    "title",
    "status",
    "priority",
    "agent",
    "model",
    "account",
    "directory",
    "timeoutMs",
    "stallMs",
    "maxOutputBytes",
    "notBefore",
    "depth",
    "parentId",
    "attempt",
    "retryOf",
    "rootId",
    "continuation",
    "continueFrom",
    "pipelineId",
    "group",
    "goalId",
    "workspaceId",
    "maxRetries",
    "backoffMs",
    "onLimit",
    "giveUpMs",
    "fallback",
    "spare",
    "idempotencyKey",
    "labels",
    "createdAt",
    "sessionId"
  ).fields,
  startCommit: Schema.NullOr(CommitId)
})

const { spending: _ledger, ...ending } = Outcome.fields

/** What is written of a task when it ends. */
export const EndRow = Schema.Struct({
  ...ending,
  ...TaskSummary.pick("retriedBy", "waitingOn", "asks").fields,
  usage: storedUsage,
  endedAt: Timestamp
})

const { bytesDropped: _dropped, bytesStored: _stored, ...own } = SummaryRow.fields

/** The columns of `SummaryRow`: short texts only, and two sums over at most two rows. */
export const summaryColumns = [
  ...Object.keys(own).map((name) => `tasks."${Str.camelToSnake(name)}"`),
  "coalesce((SELECT sum(s.stored) FROM task_streams s WHERE s.task_id = tasks.id), 0) AS bytes_stored",
  "coalesce((SELECT sum(s.dropped) FROM task_streams s WHERE s.task_id = tasks.id), 0) AS bytes_dropped"
].join(", ")

/** The edges of a task, in the shape of `Dependency`. */
const dependencies = `(
  SELECT json_group_array(json_object('taskId', d.upstream_id, 'policy', d.policy, 'state', d.state))
  FROM task_dependencies d WHERE d.task_id = tasks.id
) AS depends_on`

/** The columns of `TaskRow`, from `tasks` and `task_inputs`. */
export const taskColumns = [
  summaryColumns,
  dependencies,
  "tasks.answer",
  "task_inputs.prompt",
  "task_inputs.system_prompt"
].join(", ")

/** The process of a worker or of a claim, as columns of its row. */
const flat = { startTime: Schema.NonEmptyString, bootId: Schema.NonEmptyString }

const { process: _claimProcess, ...claimFields } = Claim.fields

export const ClaimRow = Schema.transform(
  Schema.Struct({ ...claimFields, pid: Schema.NullOr(Pid), startTime: Schema.NullOr(flat.startTime) }),
  Schema.typeSchema(Claim),
  {
    strict: true,
    decode: ({ pid, startTime, ...claim }) => ({
      ...claim,
      process: pid === null || startTime === null ? null : { pid, startTime, bootId: claim.bootId }
    }),
    encode: ({ process, ...claim }) => ({
      ...claim,
      pid: process?.pid ?? null,
      startTime: process?.startTime ?? null
    })
  }
)

const { process: _workerProcess, ...workerFields } = Worker.fields

export const WorkerRow = Schema.transform(
  Schema.Struct({ ...workerFields, pid: Pid, ...flat }),
  Schema.typeSchema(Worker),
  {
    strict: true,
    decode: ({ bootId, pid, startTime, ...worker }) => ({ ...worker, process: { pid, startTime, bootId } }),
    encode: ({ process, ...worker }) => ({ ...worker, ...process })
  }
)

const { bytes: _bytes, ...chunkFields } = OutputChunk.fields

/**
 * A stored run of bytes, with the range that was dropped from its stream. The chunk at which the kept end begins stays
 * whole in the table, so that appending never rewrites it; its dropped part is cut off here.
 */
export const ChunkRow = Schema.transform(
  Schema.Struct({
    ...chunkFields,
    bytes: Schema.Uint8ArrayFromSelf,
    droppedAt: Schema.NullOr(ByteCount),
    dropped: ByteCount
  }),
  Schema.typeSchema(OutputChunk),
  {
    strict: true,
    decode: ({ bytes, dropped, droppedAt, ...chunk }) => {
      // The driver gives a Buffer; a plain view of the same bytes is what the port promises.
      const whole = { ...chunk, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
      const [left = whole] = droppedAt === null ? [whole] : outside(whole, { from: droppedAt, to: droppedAt + dropped })
      return left
    },
    encode: (chunk) => ({ ...chunk, droppedAt: null, dropped: 0 })
  }
)
