/** A pipeline in the foreground: what its steps print as it comes, its end as the exit code, and Ctrl-C cancels it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import { Pipeline, type PipelineStep } from "../../domain/pipeline/Pipeline.ts"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import type { SubmittedPipeline } from "../../programs/pipelines/submitPipeline.ts"
import { cancelPipeline, waitForPipeline } from "../../programs/pipelines/waitForPipeline.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import type { Agents } from "../../services/Agents.ts"
import type { OutputStore } from "../../services/OutputStore.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { Caller } from "../framework/Caller.ts"
import { ExitCode, exitCodeOf } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"
import { endingText } from "./Ending.ts"
import { printOutput } from "./Follow.ts"
import { leave } from "./Foreground.ts"
import { pipelineEnding, progressOf } from "./PipelineTable.ts"
import { withProgress } from "./Progress.ts"
import { waiting } from "./waiting.ts"

/** The exit code for how a pipeline ended: that of its first failed step. */
export const exitCodeOfPipeline = ({ status, steps }: Pipeline): ExitCode => {
  const failed = steps.find((step) => step.status === "failed")
  if (status === "failed") return failed === undefined ? ExitCode.failed : exitCodeOf(failed.task)
  return status === "cancelled" ? ExitCode.cancelled : ExitCode.ok
}

const warn = Effect.fn("warnPipeline")(function* ({ created, pipeline, problem, warnings }: SubmittedPipeline) {
  const terminal = yield* Terminal
  for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
  if (!created) {
    yield* terminal.say(`beat: idempotency key already used by pipeline ${pipeline.id}; no new pipeline was created`)
  }
  if (Option.isSome(problem)) {
    yield* terminal.say(`beat: the pipeline is queued, but no worker could be started: ${problem.value.message}`)
  }
})

/** The id alone on stdout, so that `id=$(beat pipeline run ...)` works; stderr has the next command. */
export const announcePipeline = Effect.fn("announcePipeline")(function* (result: SubmittedPipeline, json: boolean) {
  const terminal = yield* Terminal
  const { id, steps } = result.pipeline
  yield* warn(result)
  if (json) yield* printJson(Pipeline, result.pipeline)
  else {
    yield* terminal.print(id)
    if (terminal.stdout.tty) yield* terminal.say(`${steps.length} steps. To follow it: beat pipeline status ${id}`)
  }
  return ExitCode.ok
})

/** Reports the start and the end of each step, and prints its output with the name of the step before each line. */
const showSteps = Effect.fn("showSteps")(function* (pipeline: Pipeline, json: boolean) {
  const terminal = yield* Terminal
  const tasks = yield* Tasks
  const context = yield* Effect.context<Agents | OutputStore | Tasks | Terminal>()
  const { bold } = stylesOf(terminal.stderr)
  const following = yield* FiberSet.make<void>()
  const seen = new Set<TaskId>()
  const told = new Set<TaskId>()
  const width = Math.max(...pipeline.steps.map(({ name }) => name.length))

  const followStep = ({ name, task }: PipelineStep) =>
    Effect.gen(function* () {
      const printed = printOutput({
        taskId: task.id,
        agent: task.agent,
        form: "text",
        streams: "both",
        lines: null,
        since: null,
        follow: true,
        prefix: `${name.padEnd(width)} | `
      })
      yield* printed
      // Print the output of a step before its result.
      yield* terminal.say(`${bold(name)}: ${endingText(yield* tasks.summary(task.id), terminal.stderr)}`)
    }).pipe(
      Effect.catchAll((error) => terminal.say(`beat: ${error.message}`)),
      Effect.provide(context)
    )

  return (now: Pipeline) =>
    Effect.gen(function* () {
      for (const step of now.steps) {
        const { kept, name, status, task } = step
        const begun = task.startedAt !== null
        const over = isTerminal(task.status)
        if (kept) continue
        if (begun && !seen.has(task.id)) {
          seen.add(task.id)
          yield* terminal.say(`${bold(name)}: task ${task.id}, ${task.agent}`)
          if (!json) yield* FiberSet.run(following, followStep(step))
        }
        if (!over || told.has(task.id) || (begun && !json)) continue
        told.add(task.id)
        yield* terminal.say(`${bold(name)}: ${begun ? endingText(task, terminal.stderr) : status}`)
      }
      if (isTerminal(now.status)) yield* FiberSet.awaitEmpty(following)
    })
})

const cancelled = Effect.fn("cancelledPipeline")(function* ({ id }: Pipeline) {
  const terminal = yield* Terminal
  const caller = yield* Caller
  yield* terminal.progress(null)
  yield* terminal.say(`\nCancelling pipeline ${id}`)
  const submitter = submitterOf(caller.environment)
  const request = { reason: "Ctrl-C", by: yield* nameOf(submitter) }
  // Commit the cancel before the message that promises it: from here on it happens even if this process exits.
  yield* (yield* Pipelines).cancel(id, request)
  yield* terminal.say(
    `Cancelling. Press Ctrl-C again to stop waiting; it keeps cancelling in the background: beat pipeline status ${id}`
  )
  const waited = cancelPipeline(id, request, submitter, yield* waiting(false))
  // This fiber is being interrupted. The wait must be interruptible separately, so it runs in another fiber.
  const exit = yield* Fiber.await(yield* Effect.forkDaemon(Effect.interruptible(waited)))
  const { pipeline } = yield* exit
  yield* terminal.say(`${id} ${pipelineEnding(pipeline, terminal.stderr)}`)
})

const watch = Effect.fn("watchPipeline")(function* ({ created, launched, pipeline }: SubmittedPipeline, json: boolean) {
  const terminal = yield* Terminal
  const { id, name } = pipeline
  yield* terminal.say(`Pipeline ${id}, ${sanitize(name)} (Ctrl-C ${created ? "cancels it" : "stops watching it"})`)
  let latest = pipeline
  const show = yield* showSteps(pipeline, json)
  const onRound = (now: Pipeline) =>
    Effect.suspend(() => {
      latest = now
      return show(now)
    })
  const line = Effect.sync(() => `${progressOf(latest)} steps`)
  const ended = yield* waitForPipeline(id, { ...(yield* waiting(launched)), onRound }).pipe(withProgress(line))
  if (json) yield* printJson(Pipeline, ended)
  yield* terminal.say(`${id} ${pipelineEnding(ended, terminal.stderr)}`)
  return exitCodeOfPipeline(ended)
})

/** Submits and stays. An interruption between the commit and the wait finds the pipeline too. */
export const pipelineInForeground = <E, R>(submitted: Effect.Effect<SubmittedPipeline, E, R>, json: boolean) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const terminal = yield* Terminal
      const result = yield* submitted
      yield* warn(result)
      return yield* restore(Effect.scoped(watch(result, json))).pipe(
        Effect.onInterrupt(() =>
          (result.created
            ? cancelled(result.pipeline)
            : leave(`Pipeline ${result.pipeline.id}`, `pipeline cancel ${result.pipeline.id}`)
          ).pipe(
            Effect.catchAll((error) =>
              terminal.say(`beat: ${error.message} To cancel: beat pipeline cancel ${result.pipeline.id}`)
            )
          )
        )
      )
    })
  )
