/** `beat plan GOAL`: an agent writes a pipeline file, which a person reviews before anything runs. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { problemText } from "../../../domain/pipeline/PipelineErrors.ts"
import { draftPlan, PlanDraft } from "../../../programs/goals/draftPlan.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { readGiven } from "../../input/Prompt.ts"
import { captureOptions, taskOptions } from "../../input/TaskOptions.ts"
import { json } from "../../input/Values.ts"
import { workOf } from "../../input/Work.ts"
import { waiting } from "../../output/waiting.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

// The parser of pipeline files is large, so it is loaded when the first answer arrives.
const reader = Effect.promise(() => import("../../../programs/pipelines/readPipeline.ts"))

export const plan = command({
  name: "plan",
  section: "tasks",
  summary: "Let an agent write a pipeline for a goal, to review before it runs",
  details:
    "Prints the file on stdout. The agent works in a workspace: no file changes, and no step runs. An answer that 'beat pipeline check' refuses is corrected once; if it is still wrong, the file is printed, its problems go to stderr and the exit code is 1. Ctrl-C stops the waiting, not the task.",
  examples: [
    [
      'beat plan "move from REST to tRPC" > plan.yaml',
      "then: beat pipeline check plan.yaml; beat pipeline run plan.yaml"
    ]
  ],
  options: Options.all({ ...taskOptions, ...captureOptions, json }),
  args: promptArguments,
  completes: "none",
  answer: () => "ending",
  run: Effect.fn("beat.plan")(function* (given, args) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const stores = yield* Stores
    const { readPipeline } = yield* reader
    const work = yield* workOf(given, yield* readGiven(wordsOf(args)))
    const draft = yield* draftPlan(
      work,
      submitterOf(caller.environment),
      (text) => readPipeline(text, { source: "plan", name: "plan", variables: {} }),
      (id) => terminal.say(`beat: task ${id} writes the plan; to see what it does: beat logs -f ${id}`),
      yield* waiting(false)
    ).pipe(Effect.provide(stores.write))
    if (given.json) yield* printJson(PlanDraft, draft)
    else {
      yield* terminal.print(draft.text.trimEnd())
      for (const problem of draft.problems) yield* terminal.say(sanitize(problemText("plan", problem)))
    }
    return draft.problems.length === 0 ? ExitCode.ok : ExitCode.failed
  })
})
