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

/**
 * `refused` is called with the line that cannot be prepared, when nothing is stored, or with the first line that could not be stored,
 * when all lines before it are. `stored` is called after each commit, with the tasks that it stored.
 */
export const submitBatch = Effect.fn("submitBatch")(function* <E, R>(
  batch: ReadonlyArray<Batched>,
  submitter: Submitter,
  tell: {
    readonly refused: (line: number, stored: number) => Effect.Effect<void>
    readonly stored: (tasks: ReadonlyArray<Enqueued & { readonly line: number }>) => Effect.Effect<void, E, R>
  }
) {
  const queue = yield* Queue
  const { get } = yield* SettingsStore
  // All lines get the same settings, also when they change meanwhile.
  const settings = yield* get
  const store = SettingsStore.of({ ...(yield* SettingsStore), get: Effect.succeed(settings) })
  const prepared = yield* Effect.forEach(batch, ({ line, submission }) =>
    prepareTask(submission, submitter).pipe(Effect.tapError(() => tell.refused(line, 0)))
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
      .pipe(Effect.tapError(() => tell.refused(batch[from]?.line ?? 0, from)))
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
