/** `beat resume`: continues a task that has ended, or ends a pause. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GateScope } from "../../../domain/gates/Gate.ts"
import { Task, type TaskId } from "../../../domain/task/Task.ts"
import { subjectOf } from "../../../programs/gates/gateWords.ts"
import { resumePaused } from "../../../programs/gates/pauseTask.ts"
import { resumeSchedule } from "../../../programs/schedules/ScheduleChanges.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { requireOutside, requireOwn } from "../../../programs/tasks/requireOwn.ts"
import { resume as resumeTask } from "../../../programs/tasks/resume.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { Gates } from "../../../services/Gates.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { JsonError, printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { gateOptions, selectedGate, selectsGate } from "../../input/GateOptions.ts"
import { json, optionalText, task } from "../../input/Values.ts"
import { inForeground } from "../../output/Foreground.ts"
import { announce } from "../../output/Submitted.ts"

/** What `--json` prints where a pause ended that is not of one task. */
export const Resumed = Schema.Struct({
  scope: Schema.Literal(...GateScope.literals, "schedule"),
  /** Empty for `all`, else a group, an agent, or the id of a pipeline or a schedule. */
  name: Schema.String
}).annotations({ identifier: "Resumed" })

const endPause = Effect.fn("beat.resume.pause")(function* (given: Parameters<typeof selectedGate>[0], json: boolean) {
  const terminal = yield* Terminal
  const { environment } = yield* Caller
  yield* requireOutside(submitterOf(environment), "end a pause")
  const selected = yield* selectedGate(given, "resume")
  if (selected.scope === "schedule") {
    yield* resumeSchedule(selected.id)
    if (json) yield* printJson(Resumed, { scope: selected.scope, name: selected.id })
    else yield* terminal.say(`Resumed: schedule ${selected.id}.`)
    return ExitCode.ok
  }
  const { name, scope } = selected
  if (!(yield* (yield* Gates).open(scope, name))) {
    const message = `There is no pause of ${subjectOf(selected)}. 'beat' shows what is paused.`
    if (json) yield* printJson(JsonError, { error: { code: "NotPaused", message, exitCode: ExitCode.failed } })
    else yield* terminal.say(`beat: ${message}`)
    return ExitCode.failed
  }
  yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
  if (json) yield* printJson(Resumed, { scope, name })
  else yield* terminal.say(`Resumed: ${subjectOf(selected)}.`)
  return ExitCode.ok
})

/** Continues a paused task. Returns whether the task was paused. */
const resumedFromPause = Effect.fn("beat.resume.task")(function* (
  id: TaskId,
  { json, otherwise }: { readonly json: boolean; readonly otherwise: boolean }
) {
  const terminal = yield* Terminal
  const gates = yield* Gates
  const last = yield* latestAttempt(id)
  const paused = (yield* gates.list).some(({ name, scope }) => scope === "task" && name === last.id)
  if (!paused) return false
  if (otherwise) {
    return yield* new UsageError({
      problem: `Task ${last.id} is paused: it continues as it was, without --context, --fresh and --foreground`,
      hint: `beat resume ${last.id}`
    })
  }
  const resumed = yield* resumePaused(id)
  if (json) yield* printJson(Task, yield* (yield* Tasks).get(resumed))
  else yield* terminal.say(`Resumed: task ${resumed}.`)
  return true
})

export const resume = readWriteCommand({
  name: "resume",
  section: "tasks",
  summary: "Continue a task that has ended or is paused, or end a pause",
  details:
    "A task that 'beat pause ID' has paused continues as it was. A task that has ended continues in a new task: in the same agent session if there is one, so the agent remembers its work. Otherwise the new task starts a new session with the prompt, the results of the ended task (its answer, errors, the end of its output, changes in git) and the context. A task of the agent shell runs its script again from the beginning: the results and the context are comments in it. The new task has the same directory, agent, model and environment, and its id is printed. With --all, --group, --agent, --pipeline or --schedule it ends a pause instead: see 'beat pause'.",
  examples: [
    ["beat resume @last", "the newest task, from where it stopped"],
    ['beat resume k3v --context "now write the tests"', "with new instructions"],
    ["beat resume k3v --fresh", "in a new session"],
    ["beat resume --all", "let queued tasks start again after 'beat pause --all'"]
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
    ...gateOptions,
    json
  }),
  args: Args.all({ id: Args.optional(task) }),
  completes: "task",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.resume")(function* ({ context, foreground, fresh, json, ...gate }, { id }) {
    if (selectsGate(gate)) {
      if (Option.isSome(id) || context !== null || fresh || foreground) {
        return yield* new UsageError({
          problem: "A task and a pause cannot be resumed by one command",
          hint: "beat resume --all, or: beat resume ID"
        })
      }
      return yield* endPause(gate, json)
    }
    if (Option.isNone(id)) {
      return yield* new UsageError({ problem: "Missing argument: id of a task", hint: "beat resume @last" })
    }
    const tasks = yield* Tasks
    const caller = yield* Caller
    const resolved = yield* tasks.resolve(id.value)
    const submitter = submitterOf(caller.environment)
    yield* requireOwn(submitter, [resolved], "resume")
    const otherwise = context !== null || fresh || foreground
    const paused = yield* resumedFromPause(resolved, { json, otherwise })
    if (paused) return ExitCode.ok
    const submitted = resumeTask(resolved, { context, fresh }, submitter)
    if (foreground) return yield* inForeground(submitted, json)
    return yield* announce(yield* submitted, json)
  })
})
