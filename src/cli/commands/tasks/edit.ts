/** `beat edit`: changes a task that has not started. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { type Labels, Task, type TaskId } from "../../../domain/task/Task.ts"
import { type Changes, edit as editTask } from "../../../programs/tasks/edit.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { requireOwn } from "../../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { Directories } from "../../../services/Directories.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { readPrompt } from "../../input/Prompt.ts"
import { labelsOf } from "../../input/TaskOptions.ts"
import { dependencies, json, moment, optionalText, pairs, priority, task } from "../../input/Values.ts"

const options = Options.all({
  prompt: optionalText("prompt", "text").pipe(Options.withDescription("New prompt; '-' reads it from stdin")),
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription("New agent; uses its default model unless -m names one")
  ),
  model: optionalText("model", "model").pipe(Options.withAlias("m"), Options.withDescription("Another model")),
  priority: priority.pipe(Options.withDefault(null), Options.withDescription("New priority: P0, P1 or P2")),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("New working directory")
  ),
  notBefore: moment("not-before", "future").pipe(
    Options.withDefault(null),
    Options.withDescription("Start at this time, e.g. 'tomorrow 9am', or after this delay, e.g. 2h; 0s means now")
  ),
  spare: Options.boolean("spare").pipe(
    Options.withDescription("Start it only with room of its account that would go unused; see 'beat run --spare'")
  ),
  noSpare: Options.boolean("no-spare").pipe(Options.withDescription("Start it like any other task")),
  label: pairs("label").pipe(Options.withDescription("Set a label; repeatable")),
  unlabel: Options.text("unlabel").pipe(
    Options.withPseudoName("key"),
    Options.repeated,
    Options.withDescription("Remove a label; repeatable")
  ),
  after: dependencies("after").pipe(
    Options.withDescription("Also wait for this task; ':finished' and ':failure' work as in 'beat run'")
  ),
  notAfter: Options.text("not-after").pipe(
    Options.withPseudoName("id"),
    Options.repeated,
    Options.withDescription("Stop waiting for this task; 'all' removes every dependency")
  ),
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const labelsAfter = (given: Given) =>
  Effect.map(
    labelsOf(given.label),
    (set) =>
      (now: Labels): Labels =>
        Object.fromEntries(Object.entries({ ...now, ...set }).filter(([key]) => !given.unlabel.includes(key)))
  )

/** After an automatic retry, a dependency on the task points to the latest attempt. */
const lastTryOf = Effect.fn("lastTryOf")(function* (reference: string) {
  const tasks = yield* Tasks
  return (yield* latestAttempt(yield* tasks.resolve(reference))).id
})

const edgesAfter = Effect.fn("edgesAfter")(function* (given: Given) {
  const added = yield* Effect.forEach(given.after, ({ policy, reference }) =>
    Effect.map(lastTryOf(reference), (upstream) => ({ upstream, policy }))
  )
  const all = given.notAfter.includes("all")
  const dropped = new Set<TaskId>(yield* Effect.forEach(all ? [] : given.notAfter, lastTryOf))
  const replaced = new Set(added.map(({ upstream }) => upstream))
  return (now: Task["dependsOn"]) => [
    ...now
      .filter(({ taskId }) => !all && !dropped.has(taskId) && !replaced.has(taskId))
      .map(({ policy, taskId }) => ({ upstream: taskId, policy })),
    ...added
  ]
})

const changesOf = Effect.fn("changesOf")(function* (given: Given) {
  const caller = yield* Caller
  const directories = yield* Directories
  const labelled = Object.keys(given.label).length > 0 || given.unlabel.length > 0
  const connected = given.after.length > 0 || given.notAfter.length > 0
  const changes: Changes = {
    ...(given.prompt === null ? {} : { prompt: yield* readPrompt(given.prompt) }),
    ...(given.agent === null ? {} : { agent: given.agent }),
    ...(given.model === null ? {} : { model: given.model }),
    ...(given.priority === null ? {} : { priority: given.priority }),
    ...(given.directory === null ? {} : { directory: yield* directories.resolve(given.directory, caller.directory) }),
    ...(given.notBefore === null ? {} : { notBefore: given.notBefore }),
    ...(given.spare || given.noSpare ? { spare: given.spare } : {}),
    ...(labelled ? { labels: yield* labelsAfter(given) } : {}),
    ...(connected ? { dependsOn: yield* edgesAfter(given) } : {})
  }
  return changes
})

export const edit = readWriteCommand({
  name: "edit",
  section: "tasks",
  summary: "Change a task that has not started",
  details:
    "Changes only what is given, and either all of it or nothing. A task that has started in the meantime is not changed.",
  examples: [
    ["beat edit @last -p P0", "start it first"],
    ['beat edit k3v9 --prompt "fix the failing test, and nothing else"', "other words"],
    ["beat edit k3v9 --after x2m7 --not-after p4t8", "wait for x2m7 instead of p4t8"]
  ],
  options,
  args: Args.all({ id: task }),
  completes: "task",
  run: Effect.fn("beat.edit")(function* (given, { id }) {
    const terminal = yield* Terminal
    if (given.spare && given.noSpare) {
      return yield* new UsageError({ problem: "--spare and --no-spare cannot be combined", hint: "Leave one out." })
    }
    const changes = yield* changesOf(given)
    if (Object.keys(changes).length === 0) {
      return yield* new UsageError({
        problem: "No change was given",
        hint: "'beat edit --help' lists what can be changed."
      })
    }
    const latest = yield* lastTryOf(id)
    const submitter = submitterOf((yield* Caller).environment)
    yield* requireOwn(submitter, [latest], "edit")
    const edited = yield* editTask(latest, changes, submitter)
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    if (given.json) yield* printJson(Task, edited)
    else yield* terminal.print(edited.id)
    return ExitCode.ok
  })
})
