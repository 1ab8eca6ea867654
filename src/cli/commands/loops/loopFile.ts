/** `beat loop check` and `schema`: files that describe loops. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { LoopPlan } from "../../../domain/loop/LoopPlan.ts"
import { PipelineProblem } from "../../../domain/pipeline/Pipeline.ts"
import { problemText } from "../../../domain/pipeline/PipelineErrors.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { loopFromFile, planOfLoop } from "../../input/PipelineInput.ts"
import { fileVariables, json } from "../../input/Values.ts"

/** What `beat loop check --json` prints. */
const LoopCheckResult = Schema.Struct({
  file: Schema.String,
  problems: Schema.Array(PipelineProblem),
  /** What each round would do, and what decides; null if the file has a problem. */
  plan: Schema.NullOr(LoopPlan)
}).annotations({ identifier: "LoopCheckResult" })

export const loopCheck = command({
  name: "loop check",
  section: "tasks",
  summary: "Check a loop file for problems",
  details:
    "Prints one line for each problem (file:line:column: message) and exits with 1 if there is any. Starts nothing.",
  examples: [["beat loop check faster.yaml", "without running it"]],
  options: Options.all({
    var: fileVariables,
    json
  }),
  args: Args.all({
    file: Args.text({ name: "file" }).pipe(
      Args.withDescription("YAML or JSON file (format: 'beat loop schema'); '-' reads stdin")
    )
  }),
  completes: "none",
  run: Effect.fn("beat.loop.check")(function* (given, { file }) {
    const terminal = yield* Terminal
    const nothing = { words: {}, base: null, settings: {} }
    const read = yield* Effect.either(
      Effect.flatMap(loopFromFile(file, given.var), (draft) => planOfLoop(draft, { source: file, ...nothing }))
    )
    if (Either.isLeft(read) && read.left._tag !== "PipelineInvalid") return yield* read.left
    const problems = Either.isLeft(read) && read.left._tag === "PipelineInvalid" ? read.left.problems : []
    const plan = Either.getOrNull(read)
    if (given.json) yield* printJson(LoopCheckResult, { file, problems, plan })
    else if (plan !== null) {
      const { request, steps } = plan
      const rounds = request.maxRounds === 1 ? "one round" : `at most ${request.maxRounds} rounds`
      yield* terminal.print(`${file}: fine, ${rounds} of ${steps.length === 1 ? "one step" : `${steps.length} steps`}`)
    }
    for (const problem of given.json ? [] : problems) yield* terminal.print(sanitize(problemText(file, problem)))
    return plan === null ? ExitCode.failed : ExitCode.ok
  })
})

export const loopSchema = command({
  name: "loop schema",
  section: "tasks",
  summary: "Print the JSON Schema of loop files",
  details: "Editors use it when the first line of a file is '# yaml-language-server: $schema=loop.schema.json'.",
  options: Options.none,
  args: Args.none,
  run: Effect.fn("beat.loop.schema")(function* () {
    const terminal = yield* Terminal
    const { loopJsonSchema } = yield* Effect.promise(() => import("../../../programs/pipelines/FileSchemas.ts"))
    yield* terminal.print(JSON.stringify(loopJsonSchema(), null, 2))
    return ExitCode.ok
  })
})
