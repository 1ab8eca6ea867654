/** Messages for a person or a script about a task that was accepted. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Contest } from "../../domain/contest/Contest.ts"
import { Task } from "../../domain/task/Task.ts"
import { holdView } from "../../programs/budgets/BudgetView.ts"
import { holdWords } from "../../programs/budgets/holdWords.ts"
import type { SubmittedContest } from "../../programs/contests/submitContest.ts"
import { gateWords } from "../../programs/gates/gateWords.ts"
import type { SubmitResult } from "../../programs/tasks/submit.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Tasks } from "../../services/Tasks.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { Terminal } from "../framework/Terminal.ts"
import { waitWords } from "./LimitText.ts"

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
  const tasks = yield* Tasks
  yield* warn(result)
  for (const { task } of result.tasks) {
    if (json) {
      yield* printJson(Task, task)
      continue
    }
    yield* terminal.print(task.id)
    const hold = Option.getOrNull(yield* (yield* Gates).holding(task.id))
    if (hold !== null && "gate" in hold) {
      yield* terminal.say(`paused: ${sanitize(gateWords(hold.gate, yield* Clock.currentTimeMillis))}`)
    }
    const budget = Option.getOrNull(yield* (yield* Budgets).holds(task.id))
    if (budget !== null) {
      yield* terminal.say(`waits for ${sanitize(holdWords(holdView(budget), yield* Clock.currentTimeMillis))}`)
    }
    const wait = task.account === null ? Option.none() : yield* tasks.limitWait(task.id)
    if (Option.isSome(wait)) yield* terminal.say(waitWords(wait.value, yield* Clock.currentTimeMillis))
    if (terminal.stdout.tty) yield* terminal.say(`Submitted to ${task.agent}. To follow it: beat logs -f ${task.id}`)
  }
  return ExitCode.ok
})

/** The id of the contest alone on stdout. */
export const announceContest = Effect.fn("announceContest")(function* (result: SubmittedContest, json: boolean) {
  const terminal = yield* Terminal
  const { contest, problem, warnings } = result
  for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
  if (Option.isSome(problem)) {
    yield* terminal.say(`beat: the contest is stored, but no worker could be started: ${problem.value.message}`)
  }
  if (json) yield* printJson(Contest, contest)
  else {
    yield* terminal.print(contest.id)
    if (terminal.stdout.tty)
      yield* terminal.say(`${contest.candidates.length} candidates. To compare them: beat status ${contest.id}`)
  }
  return ExitCode.ok
})
