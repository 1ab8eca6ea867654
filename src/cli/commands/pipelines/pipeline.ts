/** `beat pipeline list`, `status`, `cancel` and `retry`: pipelines that were submitted. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Pipeline, PipelinePage } from "../../../domain/pipeline/Pipeline.ts"
import { TaskStatus } from "../../../domain/task/Task.ts"
import { retryPipeline } from "../../../programs/pipelines/retryPipeline.ts"
import { cancelPipeline } from "../../../programs/pipelines/waitForPipeline.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { Caller } from "../../framework/Caller.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { pageOptions } from "../../input/ListOptions.ts"
import { choices, json } from "../../input/Values.ts"
import { runningIn, tellNeglect } from "../../output/Attention.ts"
import { cancelledLine, reasonOption, whileCancelling } from "../../output/Cancelling.ts"
import { announcePipeline, pipelineInForeground } from "../../output/PipelineForeground.ts"
import { describePipeline, pipelineEnding, pipelineTable } from "../../output/PipelineTable.ts"
import { tellMore } from "../../output/tellMore.ts"
import { waiting } from "../../output/waiting.ts"

const pipeline = Args.text({ name: "id" }).pipe(
  Args.withDescription("Id of a pipeline, a unique beginning of it, its name (the newest of that name), or @last")
)

export const pipelineList = readOnlyCommand({
  name: "pipeline list",
  section: "watch",
  summary: "List pipelines, newest first",
  examples: [["beat pipeline list -s failed", "what went wrong"]],
  options: Options.all({
    status: choices("status", "s", TaskStatus.literals).pipe(
      Options.withDescription("Show only pipelines with this status; repeatable")
    ),
    ...pageOptions,
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.pipeline.list")(function* (given) {
    const terminal = yield* Terminal
    const { more, pipelines } = yield* (yield* Pipelines).list(given)
    const next = more ? (pipelines.at(-1)?.seq ?? null) : null
    if (given.json) {
      yield* printJson(PipelinePage, { pipelines, next })
      return ExitCode.ok
    }
    if (pipelines.length === 0) {
      yield* terminal.say("No pipelines. Run one: beat pipeline run FILE")
      return ExitCode.ok
    }
    const lines = pipelineTable(pipelines, yield* Clock.currentTimeMillis, terminal.stdout)
    yield* terminal.print(lines.join("\n"))
    yield* tellMore("beat pipeline list --before", next)
    return ExitCode.ok
  })
})

export const pipelineStatus = readOnlyCommand({
  name: "pipeline status",
  section: "watch",
  summary: "Show one pipeline with its steps",
  examples: [
    ["beat pipeline status", "the newest one"],
    ["beat pipeline status release", "the newest one of this name"]
  ],
  options: Options.all({ json }),
  args: Args.optional(pipeline),
  completes: "pipeline",
  run: Effect.fn("beat.pipeline.status")(function* (given, reference) {
    const terminal = yield* Terminal
    const pipelines = yield* Pipelines
    const found = yield* pipelines.get(yield* pipelines.resolve(Option.getOrElse(reference, () => "@last")))
    if (given.json) yield* printJson(Pipeline, found)
    else yield* terminal.print(describePipeline(found, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    yield* tellNeglect(runningIn(found.steps.map(({ task }) => task)))
    return ExitCode.ok
  })
})

export const pipelineCancel = readWriteCommand({
  name: "pipeline cancel",
  section: "tasks",
  summary: "Cancel a pipeline and wait until its processes have exited",
  details: "Removes waiting steps from the queue and stops running ones. Completed steps stay completed.",
  examples: [["beat pipeline cancel @last", "the newest one"]],
  options: Options.all({
    reason: reasonOption("pipeline"),
    json
  }),
  args: Args.all({ id: pipeline }),
  completes: "pipeline",
  answer: () => "ending",
  run: Effect.fn("beat.pipeline.cancel")(function* (given, { id }) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const pipelines = yield* Pipelines
    const resolved = yield* pipelines.resolve(id)
    const submitter = submitterOf(caller.environment)
    const request = { reason: given.reason, by: yield* nameOf(submitter) }
    const cancelled = yield* cancelPipeline(resolved, request, submitter, yield* waiting(false)).pipe(whileCancelling)
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    if (given.json) yield* printJson(Pipeline, cancelled.pipeline)
    else
      yield* terminal.print(
        cancelledLine(resolved, cancelled.answer, pipelineEnding(cancelled.pipeline, terminal.stdout))
      )
    return ExitCode.ok
  })
})

export const pipelineRetry = readWriteCommand({
  name: "pipeline retry",
  section: "tasks",
  summary: "Retry a pipeline from the first step that did not complete",
  details:
    "Creates a new pipeline and prints its id. Completed steps are kept; the others run again, in the environment captured for the original pipeline.",
  examples: [["beat pipeline retry -f @last", "the newest one, in the foreground"]],
  options: Options.all({
    foreground: Options.boolean("foreground").pipe(
      Options.withAlias("f"),
      Options.withDescription("Show the output of the steps and wait, like 'beat pipeline run -f'")
    ),
    json
  }),
  args: Args.all({ id: pipeline }),
  completes: "pipeline",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.pipeline.retry")(function* (given, { id }) {
    const caller = yield* Caller
    const resolved = yield* (yield* Pipelines).resolve(id)
    const submitted = retryPipeline(resolved, submitterOf(caller.environment))
    if (given.foreground) return yield* pipelineInForeground(submitted, given.json)
    return yield* announcePipeline(yield* submitted, given.json)
  })
})
