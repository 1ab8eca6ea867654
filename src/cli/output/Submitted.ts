/** Messages for a person or a script about a task that was accepted. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Task } from "../../domain/task/Task.ts"
import type { SubmitResult } from "../../programs/tasks/submit.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { Terminal } from "../framework/Terminal.ts"

/** Warnings on stderr, also if no worker could be started for the stored task. */
export const warn = Effect.fn("warn")(function* (result: SubmitResult) {
  const terminal = yield* Terminal
  for (const { created, task, warnings } of result.tasks) {
    for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
    if (!created) yield* terminal.say(`beat: idempotency key already used by task ${task.id}; no new task was created`)
  }
  if (Option.isSome(result.problem)) {
    yield* terminal.say(`beat: the task is queued, but no worker could be started: ${result.problem.value.message}`)
  }
})

/** The id alone on stdout, so that `id=$(beat run ...)` works; stderr has the next command. */
export const announce = Effect.fn("announce")(function* (result: SubmitResult, json: boolean) {
  const terminal = yield* Terminal
  yield* warn(result)
  for (const { task } of result.tasks) {
    if (json) {
      yield* printJson(Task, task)
      continue
    }
    yield* terminal.print(task.id)
    if (terminal.stdout.tty) yield* terminal.say(`Submitted to ${task.agent}. To follow it: beat logs -f ${task.id}`)
  }
  return ExitCode.ok
})
