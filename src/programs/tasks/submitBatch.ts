/** Submits many tasks from one process: all are prepared before the first is stored, and no transaction is long. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import { isTerminal, type Task } from "../../domain/task/Task.ts"
import { type Enqueued, Queue } from "../../services/Queue.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { mayRunAlongside, sharedWarning } from "../Alongside.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { prepareTask, type Submission } from "./prepareTask.ts"
import type { Submitter } from "./Submitter.ts"

/** Tasks of one transaction: it holds the write lock for a tenth of a second, and other processes take turns with it. */
export const tasksPerTransaction = 100

/** A submission and the line that it comes from. */
interface Batched {
  readonly line: number
  readonly submission: Submission
}

export interface BatchResult {
  readonly count: number
  readonly created: number
  /** Each hint about the agents once. */
  readonly warnings: ReadonlyArray<string>
  /** The tasks are stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** Lines of which at least one is refused. */
export interface Refused {
  readonly first: number
  readonly last: number
  /** How many tasks of the lines before them are stored. */
  readonly stored: number
}

/**
 * `refused` is called with the line that cannot be prepared, or with the lines of a transaction that failed; with the one of them that is
 * wrong, where the error shows which it is. `stored` is called after each commit, with the tasks that it stored.
 */
export const submitBatch = Effect.fn("submitBatch")(function* <E, R>(
  batch: ReadonlyArray<Batched>,
  submitter: Submitter,
  tell: {
    readonly refused: (lines: Refused) => Effect.Effect<void>
    readonly stored: (tasks: ReadonlyArray<Enqueued & { readonly line: number }>) => Effect.Effect<void, E, R>
  }
) {
  const queue = yield* Queue
  const { get } = yield* SettingsStore
  // All lines get the same settings, also when they change meanwhile.
  const settings = yield* get
  const store = SettingsStore.of({ ...(yield* SettingsStore), get: Effect.succeed(settings) })
  const prepared = yield* Effect.forEach(batch, ({ line, submission }) =>
    prepareTask(submission, submitter).pipe(Effect.tapError(() => tell.refused({ first: line, last: line, stored: 0 })))
  ).pipe(Effect.provideService(SettingsStore, store))

  let created = 0
  let waiting = false
  let last: Task | undefined
  for (let from = 0; from < prepared.length; from += tasksPerTransaction) {
    const part = prepared.slice(from, from + tasksPerTransaction)
    const enqueued = yield* queue
      .enqueue(
        part.map(({ task }) => task),
        { maxDepth: settings.maxDepth }
      )
      .pipe(
        Effect.tapError((error) => {
          const isWrong = ({ task }: (typeof part)[number]) =>
            error._tag === "IdempotencyConflict" && task.idempotencyKey === error.key
          const lines = batch.slice(from, from + part.length).map(({ line }) => line)
          const [first = 0] = lines
          const wrong = lines[part.findIndex(isWrong)]
          return tell.refused({ first: wrong ?? first, last: wrong ?? lines[lines.length - 1] ?? first, stored: from })
        })
      )
    created += enqueued.filter((one) => one.created).length
    last = enqueued.findLast((one) => one.created)?.task ?? last
    waiting ||= enqueued.some(({ task }) => !isTerminal(task.status))
    yield* tell.stored(enqueued.map((one, index) => ({ ...one, line: batch[from + index]?.line ?? 0 })))
  }
  const shared = last === undefined ? null : sharedWarning(yield* mayRunAlongside(last))
  const served = yield* Effect.either(waiting ? ensureWorker() : Effect.succeed(false))
  const result: BatchResult = {
    count: prepared.length,
    created,
    warnings: Array.from(
      new Set([...prepared.flatMap(({ warnings }) => warnings), ...(shared === null ? [] : [shared])])
    ),
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
