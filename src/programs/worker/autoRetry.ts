/** Decides whether a failed task is retried automatically, and prepares its next attempt. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { passes } from "../../domain/Errors.ts"
import type { NewTask } from "../../domain/task/NewTask.ts"
import type { Outcome } from "../../domain/task/Outcome.ts"
import { decideRetry } from "../../domain/task/RetryPolicy.ts"
import type { Task } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Loops } from "../../services/Loops.ts"
import { Tasks } from "../../services/Tasks.ts"
import { prepareTask } from "../tasks/prepareTask.ts"
import { resubmit } from "../tasks/resubmit.ts"
import { continuationOf } from "../tasks/retry.ts"

const sentence = (text: string) => `${text.trimEnd().replace(/\.$/, "").trimEnd()}.`

/** The task's errors stay short enough to be shown. */
export const withReason = (result: Outcome, reason: string | null): Outcome =>
  reason === null
    ? result
    : { ...result, error: result.error === null ? reason : `${sentence(result.error)} ${reason}` }

/** The next attempt of the same work, prepared by the settings of now: what was wrong in them may be right by now. */
const nextTry = Effect.fn("nextTry")(function* (
  task: Task,
  fields: Pick<NewTask, "notBefore" | "maxRetries" | "backoffMs">
) {
  const { environment, submission } = yield* resubmit(task)
  const submitter = { environment, taskId: task.parentId, depth: task.depth }
  const prepared = yield* prepareTask({ ...submission, ...continuationOf(task), ...fields }, submitter)
  return prepared.task
})

/** A retry with less time than this is not stored: the clock by which a task is ended may differ from that of its deadline. Milliseconds. */
const leastMs = 1000

/** Whether the time of the loop in whose round it works is over before a retry could begin. */
const isLate = Effect.fn("autoRetry.isLate")(function* ({ id }: Task, notBefore: number) {
  const place = Option.getOrNull(yield* (yield* Loops).roundOf(id))
  const deadline = place?.role === "work" ? place.loop.rules.deadline : null
  return deadline !== null && notBefore > deadline - leastMs
})

/** How the task ends, and the task that tries it again. */
export const autoRetry = Effect.fn("autoRetry")(function* (task: Task, result: Outcome) {
  const once = { result, retry: null }
  if (result.status !== "failed" || task.maxRetries === 0) return once
  const tasks = yield* Tasks
  const agents = yield* Agents
  const decision = decideRetry({
    task,
    outcome: result,
    finalExitCode: yield* agents.isFinal(task.agent, result.exitCode),
    before: (yield* tasks.attempts(task.rootId ?? task.id)).filter(({ id }) => id !== task.id),
    now: yield* Clock.currentTimeMillis,
    jitter: yield* Random.next
  })
  if (decision._tag === "Final") {
    return decision.reason === null ? once : { result: withReason(result, decision.reason), retry: null }
  }
  const { backoffMs, maxRetries, notBefore } = decision
  if (yield* isLate(task, notBefore)) {
    return { result: withReason(result, "Not tried again: the time of its loop is over."), retry: null }
  }
  return yield* nextTry(task, { backoffMs, maxRetries, notBefore }).pipe(
    Effect.map((retry) => ({ result, retry })),
    Effect.catchIf(
      (error) => error._tag !== "StorageError" || !passes(error),
      (error) => Effect.succeed({ result: withReason(result, `Not tried again: ${error.message}`), retry: null })
    )
  )
})
