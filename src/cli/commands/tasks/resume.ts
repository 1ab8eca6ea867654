/** `beat resume`: continues a task that has ended. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { resume as resumeTask } from "../../../programs/tasks/resume.ts"
import { submitterOf } from "../../../programs/tasks/submitter.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { json, optionalText, task } from "../../input/Values.ts"
import { inForeground } from "../../output/Foreground.ts"
import { announce } from "../../output/Submitted.ts"

export const resume = readWriteCommand({
  name: "resume",
  section: "tasks",
  summary: "Continue a task that has ended",
  details:
    "Continues in the same agent session if there is one, so the agent remembers its work. Otherwise starts a new session with the prompt, the results of the ended task (its answer, errors, the end of its output, changes in git) and the context. Uses the same directory, agent, model and environment, and prints the new task's id.",
  examples: [
    ["beat resume @last", "the newest task, from where it stopped"],
    ['beat resume k3v --context "now write the tests"', "with new instructions"],
    ["beat resume k3v --fresh", "in a new session"]
  ],
  options: Options.all({
    context: optionalText("context", "text").pipe(Options.withDescription("New instructions for the agent")),
    fresh: Options.boolean("fresh").pipe(
      Options.withDescription("Start a new session, with the results of the ended task in the prompt")
    ),
    foreground: Options.boolean("foreground").pipe(
      Options.withAlias("f"),
      Options.withDescription("Show the output and wait, like 'beat run -f'")
    ),
    json
  }),
  args: Args.all({ id: task }),
  completes: "task",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.resume")(function* ({ context, foreground, fresh, json }, { id }) {
    const tasks = yield* Tasks
    const caller = yield* Caller
    const submitted = resumeTask(yield* tasks.resolve(id), { context, fresh }, submitterOf(caller.environment))
    if (foreground) return yield* inForeground(submitted, json)
    return yield* announce(yield* submitted, json)
  })
})
