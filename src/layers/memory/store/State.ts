/** What the in-memory `Queue`, `Tasks`, `WorkerRegistry` and `OutputStore` share, changed by whole steps. Tests use it. */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equivalence from "effect/Equivalence"
import * as Layer from "effect/Layer"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import type { OutputChunk, StreamState } from "../../../domain/output/Output.ts"
import type { Environment, Launch } from "../../../domain/task/NewTask.ts"
import { type Task, TaskId } from "../../../domain/task/Task.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import type { Claim, ClaimId, StartProblem } from "../../../domain/worker/Claim.ts"
import type { Worker, WorkerId } from "../../../domain/worker/Worker.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"

/** A task with what its start needs. The byte counts of `task` are filled in when it is read, from its streams. */
interface StoredTask {
  readonly task: Task
  readonly launch: Launch
  readonly environment: Environment
  /** How often it was edited. */
  readonly revision: number
  readonly traceparent: string | null
}

export interface StoredOutput {
  readonly chunks: ReadonlyArray<OutputChunk>
  readonly streams: ReadonlyArray<StreamState>
}

const empty = {
  /** In order of arrival. */
  tasks: new Map<TaskId, StoredTask>(),
  /** In order of claim. */
  claims: new Map<TaskId, Claim>(),
  /** Every claim there ever was, so that a lost one can still name its task. */
  history: new Map<ClaimId, TaskId>(),
  problems: new Map<TaskId, StartProblem>(),
  workers: new Map<WorkerId, Worker>(),
  output: new Map<TaskId, StoredOutput>(),
  ends: new Map<number, TaskEnded>(),
  /** The largest number of a task, and of an end, that there ever was. */
  numbers: new Map<"task" | "end", number>()
}

export type State = typeof empty

const copyOf = (state: State): State => ({
  tasks: new Map(state.tasks),
  claims: new Map(state.claims),
  history: new Map(state.history),
  problems: new Map(state.problems),
  workers: new Map(state.workers),
  output: new Map(state.output),
  ends: new Map(state.ends),
  numbers: new Map(state.numbers)
})

/** All keys and values. */
const contentOf = (state: State): Array<unknown> =>
  Object.values(state).flatMap((table: ReadonlyMap<unknown, unknown>) => Array.from(table).flat())

const isSame = Equivalence.mapInput(Arr.getEquivalence(Equivalence.strict<unknown>()), contentOf)

export class Store extends Context.Tag("backbeat/memory/Store")<
  Store,
  {
    readonly read: <A>(look: (state: State, now: number) => A) => Effect.Effect<A>
    /** One transaction: the step changes a copy, which counts only if the step returns `Right`. */
    readonly write: <A, E>(step: (draft: State, now: number) => Either.Either<A, E>) => Effect.Effect<A, E>
    /** How many steps have changed something. */
    readonly commits: Effect.Effect<number>
  }
>() {}

export const layer = Layer.sync(Store, () => {
  let current = copyOf(empty)
  let commits = 0
  return Store.of({
    read: (look) => Effect.map(Clock.currentTimeMillis, (now) => look(current, now)),
    write: (step) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const draft = copyOf(current)
        const result = step(draft, now)
        if (Either.isRight(result) && !isSame(draft, current)) {
          current = draft
          commits += 1
        }
        return result
      }),
    commits: Effect.sync(() => commits)
  })
})

/** The next number of a task or of an end: deleting what is stored does not lower it. */
export const nextNumber = (draft: State, of: "task" | "end"): number => {
  const number = (draft.numbers.get(of) ?? 0) + 1
  draft.numbers.set(of, number)
  return number
}

/** The task as a reader sees it. */
export const taskIn = (state: State, id: TaskId): Task | undefined => {
  const stored = state.tasks.get(id)
  const streams = state.output.get(id)?.streams ?? []
  return (
    stored && {
      ...stored.task,
      bytesStored: streams.reduce((sum, stream) => sum + stream.stored, 0),
      bytesDropped: streams.reduce((sum, stream) => sum + stream.dropped, 0)
    }
  )
}

/** All tasks, in order of arrival. */
export const tasksIn = (state: State): ReadonlyArray<Task> =>
  Array.from(state.tasks.keys()).flatMap((id) => taskIn(state, id) ?? [])

/** Changes fields of one task. */
export const change = (draft: State, id: TaskId, fields: Partial<Task>): void => {
  const stored = draft.tasks.get(id)
  if (stored !== undefined) draft.tasks.set(id, { ...stored, task: { ...stored.task, ...fields } })
}

/** Writes the end of a task and its event. */
export const end = (
  draft: State,
  id: TaskId,
  { at, retriedBy, ...fields }: Partial<Task> & Pick<TaskEnded, "status" | "cause" | "at" | "retriedBy">
): TaskEnded => {
  change(draft, id, { ...fields, endedAt: at, retriedBy, waitingOn: 0, asks: 0, frozenAt: null })
  const { cause, status } = fields
  const event: TaskEnded = { seq: nextNumber(draft, "end"), kind: "task", id, status, cause, at, retriedBy }
  draft.ends.set(event.seq, event)
  return event
}

export const claimWith = (state: State, claimId: ClaimId): Claim | undefined =>
  Array.from(state.claims.values()).find((claim) => claim.claimId === claimId)

/** The task of a claim that was never made. */
const noTask = TaskId.make("000000000000")

/** The claim that `holder` holds. */
export const held = (state: State, holder: Holder, step: string): Either.Either<Claim, TaskStateConflict> => {
  const claim = claimWith(state, holder.claimId)
  if (claim?.workerId === holder.workerId) return Either.right(claim)
  const id = state.history.get(holder.claimId) ?? noTask
  return Either.left(new TaskStateConflict({ id, step, actual: state.tasks.get(id)?.task.status ?? "queued" }))
}
