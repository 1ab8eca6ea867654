/** A task in the foreground: its output as it comes, its end as the exit code, and Ctrl-C cancels it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Task, type TaskId, type TaskSummary } from "../../domain/task/Task.ts"
import { cancel, cancelWork } from "../../programs/tasks/cancel.ts"
import { latestAttempt } from "../../programs/tasks/latestAttempt.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import type { SubmitResult, Submitted } from "../../programs/tasks/submit.ts"
import { waitFor } from "../../programs/tasks/waitFor.ts"
import { isCut } from "../../programs/why/isCut.ts"
import { whileWorkerRuns } from "../../programs/worker/ensureWorker.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Caller } from "../framework/Caller.ts"
import { ExitCode, exitCodeOf } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { Terminal } from "../framework/Terminal.ts"
import { endingText } from "./Ending.ts"
import { printOutput } from "./Follow.ts"
import { tellingParks } from "./LimitText.ts"
import { activity, withProgress } from "./Progress.ts"
import { warn } from "./Submitted.ts"
import { waiting } from "./waiting.ts"

/** Ctrl-C: cancels the task and returns when its processes are gone. A second Ctrl-C ends only this process. */
const cancelled = Effect.fn("cancelled")(function* (task: Task) {
  const terminal = yield* Terminal
  const caller = yield* Caller
  const { id } = task
  yield* terminal.progress(null)
  yield* terminal.say(`\nCancelling ${id}`)
  const by = yield* nameOf(submitterOf(caller.environment))
  const wanted = { reason: "Ctrl-C", by }
  // Commit the cancel before the message that promises it: from here on it happens even if this process exits.
  yield* cancelWork(id, wanted)
  yield* terminal.say(
    `Cancelling. Press Ctrl-C again to stop waiting; it keeps cancelling in the background: beat status ${id}`
  )
  const request = cancel([id], { ...(yield* waiting(false)), ...wanted, tree: false })
  // This fiber is being interrupted. The wait must be interruptible separately, so it runs in another fiber.
  const fiber = yield* Effect.forkDaemon(Effect.interruptible(request))
  const exit = yield* Fiber.await(fiber)
  const { tasks } = yield* exit
  for (const { task } of tasks) yield* terminal.say(`${id} ${endingText(task, terminal.stderr)}`)
})

/** Ctrl-C on an existing task or pipeline that this command did not create. */
export const leave = Effect.fn("leave")(function* (what: string, cancelling: string) {
  const terminal = yield* Terminal
  yield* terminal.progress(null)
  yield* terminal.say(`\n${what} continues: this command did not create it. To cancel it: beat ${cancelling}`)
})

const standingWords = (task: TaskSummary) =>
  Effect.map(isCut(task), (cut) => (cut ? "making its workspace" : task.status))

/** Shows what the task prints until it has ended, and then the same for each of its automatic retries. */
const showAll = Effect.fn("showAll")(function* (first: Task, launched: boolean) {
  const terminal = yield* Terminal
  const tasks = yield* Tasks
  const served = yield* waiting(launched)
  let next: TaskId | null = first.id
  while (next !== null) {
    const taskId: TaskId = next
    const output = printOutput({
      taskId,
      agent: first.agent,
      form: "text",
      streams: "both",
      lines: null,
      since: null,
      follow: true
    })
    const standing = Effect.flatMap(tasks.summary(taskId), standingWords)
    yield* whileWorkerRuns(output, served).pipe(tellingParks([taskId]), withProgress(standing))
    const ended: TaskSummary = yield* tasks.summary(taskId)
    next = ended.retriedBy
    if (next !== null) {
      yield* terminal.say(`${taskId} ${endingText(ended, terminal.stderr)}`)
      yield* terminal.say(`Retrying as ${next}`)
    }
  }
})

const watch = Effect.fn("watch")(function* ({ launched }: SubmitResult, { created, task }: Submitted, json: boolean) {
  const terminal = yield* Terminal
  const tasks = yield* Tasks
  yield* terminal.say(`Task ${task.id}, ${task.agent} (Ctrl-C ${created ? "cancels it" : "stops watching it"})`)
  if (json) {
    const served = yield* waiting(launched)
    const doing = yield* activity(task)
    yield* waitFor([task.id], { ...served, goal: "end", any: false }).pipe(tellingParks([task.id]), withProgress(doing))
  } else yield* showAll(task, launched)
  const ended = yield* tasks.get((yield* latestAttempt(task.id)).id)
  if (json) yield* printJson(Task, ended)
  const code = exitCodeOf(ended)
  if (code !== ExitCode.ok) yield* terminal.say(`${ended.id} ${endingText(ended, terminal.stderr)}`)
  return code
})

/** Submits and stays. An interruption between the commit and the wait finds the task too. */
export const inForeground = <E, R>(submitted: Effect.Effect<SubmitResult, E, R>, json: boolean) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const terminal = yield* Terminal
      const result = yield* submitted
      yield* warn(result)
      const [first] = result.tasks
      if (first === undefined) return ExitCode.ok
      const { created, task } = first
      return yield* restore(Effect.scoped(watch(result, first, json))).pipe(
        Effect.onInterrupt(() =>
          // Another command created the task with this key, and may be waiting for it.
          (created ? cancelled(task) : leave(`Task ${task.id}`, `cancel ${task.id}`)).pipe(
            Effect.catchAll((error) => terminal.say(`beat: ${error.message} To cancel: beat cancel ${task.id}`))
          )
        )
      )
    })
  )
