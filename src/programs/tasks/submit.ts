/** Submits tasks: prepares each for its agent, stores them, and makes sure that a worker runs them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { MessageId } from "../../domain/message/Message.ts"
import { isTerminal, type Task } from "../../domain/task/Task.ts"
import { Queue } from "../../services/Queue.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { mayRunAlongside, sharedWarning } from "../Alongside.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { prepareTask, type Submission } from "./prepareTask.ts"
import type { Submitter } from "./Submitter.ts"

export interface Submitted {
  readonly task: Task
  /** False when the idempotency key led to a task that was there before. */
  readonly created: boolean
  /** Hints about the agent, for the submitter. */
  readonly warnings: ReadonlyArray<string>
}

export interface SubmitResult {
  /** In the order given. */
  readonly tasks: ReadonlyArray<Submitted>
  /** Whether a worker was launched for them. */
  readonly launched: boolean
  /** The tasks are stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** All or none are stored. Returns after the commit. The first says the messages in `moves`. */
export const submit = Effect.fn("submit")(function* (
  submissions: ReadonlyArray<Submission>,
  submitter: Submitter,
  moves: ReadonlyArray<MessageId> = []
) {
  const queue = yield* Queue
  const settings = yield* (yield* SettingsStore).get

  const prepared = yield* Effect.forEach(submissions, (submission) => prepareTask(submission, submitter))
  const stored = yield* queue.enqueue(
    prepared.map(({ task }) => task),
    { maxDepth: settings.maxDepth, moves }
  )
  const tasks = yield* Effect.forEach(stored, ({ task, created }, index) =>
    Effect.gen(function* () {
      const shared = created ? sharedWarning(yield* mayRunAlongside(task)) : null
      const { warnings = [] } = prepared[index] ?? {}
      return { task, created, warnings: shared === null ? warnings : [...warnings, shared] }
    })
  )
  const waiting = stored.some(({ task }) => !isTerminal(task.status))
  const served = yield* Effect.either(waiting ? ensureWorker() : Effect.succeed(false))
  const result: SubmitResult = {
    tasks,
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
