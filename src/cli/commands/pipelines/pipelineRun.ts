/** `beat pipeline run`, `check` and `schema`: read, check and submit files with steps. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { PipelinePlan, PipelineProblem } from "../../../domain/pipeline/Pipeline.ts"
import { problemText } from "../../../domain/pipeline/PipelineErrors.ts"
import { takingTurns } from "../../../programs/pipelines/isolationProblems.ts"
import { promptPlan } from "../../../programs/pipelines/promptPlan.ts"
import { submitPipeline } from "../../../programs/pipelines/submitPipeline.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { withOtherwise } from "../../../programs/workspaces/placeWork.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { planFromFile } from "../../input/PipelineInput.ts"
import { readPiped } from "../../input/Prompt.ts"
import { taskOptions } from "../../input/TaskOptions.ts"
import { fileVariables, json, optionalText } from "../../input/Values.ts"
import { commonOf } from "../../input/Work.ts"
import { announcePipeline, pipelineInForeground } from "../../output/PipelineForeground.ts"

const options = Options.all({
  step: Options.text("step").pipe(
    Options.withPseudoName("prompt"),
    Options.repeated,
    Options.withDescription("Add a step with this prompt, instead of a file; repeatable, in order")
  ),
  var: fileVariables,
  name: optionalText("name", "text").pipe(Options.withDescription("Name the pipeline")),
  foreground: Options.boolean("foreground").pipe(
    Options.withAlias("f"),
    Options.withDescription(
      "Show the output of the steps and wait; Ctrl-C cancels the pipeline, the exit code reports how it ended"
    )
  ),
  isolate: Options.boolean("isolate").pipe(
    Options.withDescription(
      "Let the steps work in a workspace that they share: nothing here changes until 'beat merge'"
    )
  ),
  base: optionalText("base", "HEAD | tree | revision | id").pipe(
    Options.withDescription("Cut the workspace of an isolated pipeline at this commit (default: HEAD)")
  ),
  ...taskOptions,
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription(
      "Agent for steps that name none; the options below are defaults for steps too (default: the default agent)"
    )
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription(
      "Working directory, also the base of relative directories in steps (default: the current one)"
    )
  ),
  key: optionalText("key", "text").pipe(
    Options.withDescription("Idempotency key: submitting the same key again returns the existing pipeline")
  ),
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const planOf = Effect.fn("planOf")(function* (given: Given, file: string | null) {
  const example = "'beat pipeline run FILE', or 'beat pipeline run --step \"...\" --step \"...\"'"
  const usage = (problem: string, hint: string | null) => new UsageError({ problem, hint })
  if (file === null || (file === "-" && given.step.length > 0)) {
    if (given.step.length === 0) return yield* usage("No file and no step was given", `Write ${example}.`)
    if (Object.keys(given.var).length > 0)
      return yield* usage("--var works only with a file", "Without a file, use shell variables in the text of --step.")
    const empty = given.step.findIndex((prompt) => prompt.trim() === "")
    if (empty >= 0) return yield* usage(`--step number ${empty + 1} is empty`, null)
    if (given.step.length > 100) return yield* usage("A pipeline has 1 to 100 steps", null)
    return promptPlan(given.name, given.step)
  }
  if (given.step.length > 0) return yield* usage("A file and --step cannot be combined", `Write ${example}.`)
  const plan = yield* planFromFile(file, given.var)
  return given.name === null ? plan : { ...plan, name: given.name }
})

const submissionOf = Effect.fn("pipelineSubmission")(function* (given: Given, piped: string | null) {
  for (const field of ["key", "name"] as const) {
    const text = given[field]
    if (text !== null && (text.trim().length < 1 || text.length > 200)) {
      return yield* new InvalidInput({ field: `--${field}`, problem: "1 to 200 characters", example: null })
    }
  }
  const defaults = { ...(yield* commonOf(given)), piped, base: given.base }
  return { defaults, idempotencyKey: given.key }
})

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription("YAML or JSON file with steps (format: 'beat pipeline schema'); '-' reads stdin")
)

export const pipelineRun = command({
  name: "pipeline run",
  section: "tasks",
  summary: "Submit several steps that run in order",
  details:
    "Stores the pipeline with all of its tasks, prints its id and returns. A step starts when the steps before it have completed; steps in an inner list run in parallel. A step's own settings override the options here. With --step, piped input is appended to the first prompt.",
  examples: [
    ["beat pipeline run release.yaml --var branch=main", "the steps of a file"],
    ["beat pipeline run -f -a shell --step 'npm ci' --step 'npm test'", "two commands, in the foreground"]
  ],
  options,
  args: Args.optional(file),
  completes: "none",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.pipeline.run")(function* (given, path) {
    const caller = yield* Caller
    const stores = yield* Stores
    const file = Option.getOrNull(path)
    const read = yield* planOf(given, file)
    const plan = given.isolate ? { ...read, isolate: true } : read
    if (given.base !== null && !plan.isolate)
      return yield* new UsageError({ problem: "--base needs an isolated pipeline", hint: "Add --isolate." })
    const piped = given.step.length > 0 ? yield* readPiped(file === "-") : null
    const submission = yield* submissionOf(given, piped)
    const submitting = submitPipeline(plan, submission, submitterOf(caller.environment))
    const submitted = read.isolate || !given.isolate ? submitting : withOtherwise("leave out --isolate")(submitting)
    return yield* Effect.provide(
      given.foreground
        ? pipelineInForeground(submitted, given.json)
        : Effect.flatMap(submitted, (result) => announcePipeline(result, given.json)),
      stores.write
    )
  })
})

/** What `beat pipeline check --json` prints. */
export const CheckResult = Schema.Struct({
  file: Schema.String,
  problems: Schema.Array(PipelineProblem),
  /** The steps in their resolved order; null if the file has a problem. */
  plan: Schema.NullOr(PipelinePlan)
}).annotations({ identifier: "CheckResult" })

export const pipelineCheck = command({
  name: "pipeline check",
  section: "tasks",
  summary: "Check a pipeline file for problems",
  details: "Prints one line for each problem (file:line:column: message) and exits with 1 if there is any.",
  examples: [["beat pipeline check release.yaml --var branch=main", "without running it"]],
  options: Options.all({ var: fileVariables, json }),
  args: Args.all({ file }),
  completes: "none",
  run: Effect.fn("beat.pipeline.check")(function* (given, { file }) {
    const terminal = yield* Terminal
    const read = yield* Effect.either(planFromFile(file, given.var))
    if (Either.isLeft(read) && read.left._tag !== "PipelineInvalid") return yield* read.left
    const problems = Either.isLeft(read) && read.left._tag === "PipelineInvalid" ? read.left.problems : []
    const plan = Either.getOrNull(read)
    if (given.json) yield* printJson(CheckResult, { file, problems, plan })
    else if (plan !== null) {
      const { length } = plan.steps
      yield* terminal.print(`${file}: fine, ${length === 1 ? "one step" : `${length} steps`}`)
      for (const names of takingTurns(plan)) {
        yield* terminal.say(
          `beat: ${names.join(" and ")} take turns in one workspace; with 'workspace: own' they work at the same time`
        )
      }
    }
    for (const problem of given.json ? [] : problems) yield* terminal.print(sanitize(problemText(file, problem)))
    return plan === null ? ExitCode.failed : ExitCode.ok
  })
})

export const pipelineSchema = command({
  name: "pipeline schema",
  section: "tasks",
  summary: "Print the JSON Schema of pipeline files",
  details: "Editors use it when the first line of a file is '# yaml-language-server: $schema=pipeline.schema.json'.",
  options: Options.none,
  args: Args.none,
  run: Effect.fn("beat.pipeline.schema")(function* () {
    const terminal = yield* Terminal
    const { pipelineJsonSchema } = yield* Effect.promise(() => import("../../../programs/pipelines/FileSchemas.ts"))
    yield* terminal.print(JSON.stringify(pipelineJsonSchema(), null, 2))
    return ExitCode.ok
  })
})
