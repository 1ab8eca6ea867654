/** `beat resume`: goes on with a task that has ended. */
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
  summary: "Go on with a task that has ended",
  details:
    "In the agent's own session, where the agent has one: it still knows all it did. Otherwise a new task gets the prompt, what the first one left behind (its answer, errors, the end of its output, changes in git) and the context. Same directory, agent, model and environment; prints the new task's id.",
  examples: [
    ["beat resume @last", "the newest task, from where it stopped"],
    ['beat resume k3v --context "now write the tests"', "with something new to do"],
    ["beat resume k3v --fresh", "not in its old session"]
  ],
  options: Options.all({
    context: optionalText("context", "text").pipe(Options.withDescription("What to do now")),
    fresh: Options.boolean("fresh").pipe(
      Options.withDescription("Begin a new session, with what the task left behind in the prompt")
    ),
    foreground: Options.boolean("foreground").pipe(
      Options.withAlias("f"),
      Options.withDescription("Show the output and wait, as 'beat run -f' does")
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
