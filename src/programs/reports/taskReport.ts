/** Everything about one task. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId } from "../../domain/contest/Contest.ts"
import { Park } from "../../domain/limits/Park.ts"
import { Question } from "../../domain/questions/Question.ts"
import { Checkpoint } from "../../domain/task/Checkpoint.ts"
import { isTerminal, Task, TaskId } from "../../domain/task/Task.ts"
import { Claim, StartProblem } from "../../domain/worker/Claim.ts"
import { WorkResult, Workspace } from "../../domain/workspace/Workspace.ts"
import { Checkpoints } from "../../services/Checkpoints.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { emptiedWords } from "../../text/Emptied.ts"
import { ranAlongside } from "../Alongside.ts"
import { Neglected, neglected } from "../serving/Neglect.ts"
import { endsIn } from "../timeLeft.ts"
import { waitsFor } from "../why/waitsFor.ts"
import { why } from "../why/why.ts"
import { silenceOf } from "./silenceOf.ts"

/** The task with what other tables know of it: it decodes as a `Task` too. */
export const TaskReport = Schema.Struct({
  ...Task.fields,
  claim: Schema.NullOr(Claim),
  /** What keeps its agent from starting; null when it runs or has ended. */
  startProblem: Schema.NullOr(StartProblem),
  /** Queued tasks that start before it, counted up to 1000; null when it is not queued. */
  ahead: Schema.NullOr(Schema.Int),
  /** What it waits for, in words; null when it waits for nothing. */
  waitsFor: Schema.NullOr(Schema.String),
  /** Whether a pause, an open question, the limit of its group or its account, or a budget keeps it from starting. */
  held: Schema.Boolean,
  /** When limits put it back into the queue, oldest first. */
  parked: Schema.Array(Park),
  /** What its agent has asked a person, oldest first, at most 1000. */
  questions: Schema.Array(Question),
  /** Milliseconds without output; null when it does not run. */
  silentMs: Schema.NullOr(Schema.Int),
  /** Milliseconds until its timeout or the time of its loop ends it, 0 when that is due; null when it does not run or has neither. */
  timeLeftMs: Schema.NullOr(Schema.Int),
  /** Tasks that have run in the same work tree since its start, at most 20; once it has ended, those of its checkpoint. */
  alongside: Schema.Array(TaskId),
  /** Why no worker looks after it although it runs; null where one does. */
  neglect: Schema.NullOr(Neglected),
  /** Tasks that its agent submitted, at most 1000. */
  children: Schema.Array(TaskId),
  /** What it left behind; null before its end, and where it never started. */
  checkpoint: Schema.NullOr(Checkpoint),
  /** The workspace that it works in; null: it works in its directory. */
  workspace: Schema.NullOr(Workspace),
  /** The contest whose candidate it is, or which it evaluates; null where it is in none. */
  contestId: Schema.NullOr(ContestId),
  /** What it left in its workspace; null before its end. */
  result: Schema.NullOr(WorkResult),
  /** Streams that their own writer emptied, in words. */
  emptied: Schema.Array(Schema.String)
}).annotations({ identifier: "TaskReport" })
export type TaskReport = typeof TaskReport.Type

/** Frequent callers pass the full id. */
const isTaskId = Schema.is(TaskId)

const leftOf = Effect.fn("taskReport.timeLeft")(function* (claim: Claim | null) {
  if (claim === null) return null
  const left = yield* endsIn(claim)
  return Number.isFinite(left) ? Math.max(0, left) : null
})

export const taskReport = Effect.fn("taskReport")(function* (reference: string) {
  const tasks = yield* Tasks
  const registry = yield* WorkerRegistry
  const output = yield* OutputStore
  const checkpoints = yield* Checkpoints
  const workspaces = yield* Workspaces
  const resolved = Effect.flatMap(tasks.resolve(reference), (found) => tasks.get(found))
  // An id that no task has may be one of another kind: `resolve` says so.
  const task = yield* isTaskId(reference)
    ? Effect.catchTag(tasks.get(reference), "TaskNotFound", () => resolved)
    : resolved
  const { id } = task
  const claim = isTerminal(task.status) ? null : Option.getOrNull(yield* registry.claimOf(id))
  const now = yield* Clock.currentTimeMillis
  const checkpoint = isTerminal(task.status) ? Option.getOrNull(yield* checkpoints.get(id)) : null
  const begun = isTerminal(task.status) || claim?.state === "running"
  const found = task.status === "running" ? yield* neglected([id]) : new Map<TaskId, typeof Neglected.Type>()
  const place = task.workspaceId === null ? null : Option.getOrNull(yield* workspaces.ofTask(id))
  const waiting = task.status === "queued" || task.asks > 0 || task.frozenAt !== null ? yield* why(id) : null
  const report: TaskReport = {
    ...task,
    claim,
    startProblem: begun ? null : Option.getOrNull(yield* registry.startProblem(id)),
    ahead: task.status === "queued" ? Option.getOrNull(yield* tasks.ahead(id)) : null,
    waitsFor: waiting === null ? null : waitsFor(waiting, now),
    held:
      waiting !== null &&
      ["paused", "frozen", "asks", "group-limit", "limit", "account-places", "budget"].includes(waiting.reason),
    parked: task.parks === 0 ? [] : yield* tasks.parks(id),
    questions: task.startedAt === null ? [] : yield* (yield* Questions).ofTask(id),
    silentMs: yield* silenceOf(task),
    timeLeftMs: yield* leftOf(claim),
    neglect: found.get(id) ?? null,
    children: yield* tasks.children(id),
    alongside: checkpoint?.alongside ?? (yield* ranAlongside(task, task.endedAt ?? now)),
    checkpoint,
    workspace: place?.workspace ?? null,
    contestId: place?.contestId ?? null,
    result: task.workspaceId === null ? null : Option.getOrNull(yield* workspaces.result(id)),
    emptied: emptiedWords(yield* output.streams(id))
  }
  return report
})
