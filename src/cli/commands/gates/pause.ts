/** `beat pause`: stops one task and keeps its session, or keeps new tasks from starting: all of them, or a part. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidInput } from "../../../domain/Errors.ts"
import { isTerminal } from "../../../domain/task/Task.ts"
import { gateWords, openingCommand } from "../../../programs/gates/gateWords.ts"
import { type Pause, pauseTask } from "../../../programs/gates/pauseTask.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Gates } from "../../../services/Gates.ts"
import { Processes } from "../../../services/Processes.ts"
import { Schedules } from "../../../services/Schedules.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { moment as timeWords } from "../../../text/FormatDuration.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { gateOptions, selectedGate, selectsGate } from "../../input/GateOptions.ts"
import { moment, optionalText, task } from "../../input/Values.ts"
import { endingText } from "../../output/Ending.ts"
import { plain } from "../../output/TaskTable.ts"
import { waiting } from "../../output/waiting.ts"

const onePause = Effect.fn("beat.pause.task")(function* (reference: string, given: Pause) {
  const terminal = yield* Terminal
  const tasks = yield* Tasks
  const paused = yield* pauseTask(yield* tasks.resolve(reference), given, yield* waiting(false))
  const { id } = paused
  if (isTerminal(paused.status)) {
    yield* terminal.say(`beat: task ${id} ended before it was paused: ${endingText(paused, terminal.stderr)}`)
    return ExitCode.failed
  }
  const until = given.until === null ? "" : ` until ${timeWords(given.until)}`
  const words =
    paused.frozenAt === null
      ? `Paused: task ${id}${until}.`
      : `Frozen: task ${id}${until}. Its processes are stopped, and keep their memory and their place.`
  yield* terminal.say(`${words} To continue it: beat resume ${id}`)
  return ExitCode.ok
})

export const pause = readWriteCommand({
  name: "pause",
  forPersons: "pause what others submitted",
  section: "tasks",
  summary: "Pause a task, or all new work, or new work of a group, an agent, a pipeline or a schedule",
  details:
    "With the id of a task: its turn is ended, its session is kept, and it has no process until 'beat resume ID'. Tasks that wait for it keep waiting. A running task of an agent without sessions, like shell, is refused without --freeze: that stops its processes where they are, for a short time, and a reboot ends it. With an option: running tasks continue, and tasks that are submitted meanwhile wait in the queue. A pause survives kills and reboots, and applies to all workers. To end one: 'beat resume' with the same option.",
  examples: [
    ["beat pause @last", "stop this task; 'beat resume @last' continues it"],
    ["beat pause @last --freeze", "the same for a build or a test run, which has no session"],
    ["beat pause --all --until 2h --reason demo", "nothing starts in the next two hours"],
    ["beat pause --agent claude", "until 'beat resume --agent claude'"],
    ["beat pause --group review", "the tasks of one group"]
  ],
  options: Options.all({
    ...gateOptions,
    freeze: Options.boolean("freeze").pipe(
      Options.withDescription(
        "Stop the processes of a running task where they are (SIGSTOP) instead of ending its turn; they keep their memory, and the task keeps its place"
      )
    ),
    until: moment("until", "future").pipe(
      Options.withDefault(null),
      Options.withDescription(
        "End the pause at this time, e.g. 2027-03-01T18:00 or 'tomorrow 9am', or after this time, e.g. 2h"
      )
    ),
    reason: optionalText("reason", "text").pipe(
      Options.withAlias("m"),
      Options.withDescription("Show this reason while tasks wait")
    )
  }),
  args: Args.all({ id: Args.optional(task) }),
  completes: "task",
  run: Effect.fn("beat.pause")(function* ({ freeze, reason, until, ...given }, { id }) {
    const terminal = yield* Terminal
    const { environment } = yield* Caller
    if (reason !== null && reason.length > 500) {
      return yield* new InvalidInput({ field: "--reason", problem: "at most 500 characters", example: null })
    }
    const now = yield* Clock.currentTimeMillis
    if (until !== null && until <= now) {
      return yield* new InvalidInput({ field: "--until", problem: "the time is in the past", example: "2h" })
    }
    if (Option.isSome(id)) {
      if (selectsGate(given)) {
        return yield* new UsageError({
          problem: "A task and an option cannot be paused by one command",
          hint: "beat pause ID, or: beat pause --all"
        })
      }
      if (freeze && !(yield* Processes).freezes) {
        return yield* new UsageError({
          problem: "--freeze is not supported on this system",
          hint: `beat pause ${id.value}`
        })
      }
      return yield* onePause(id.value, { until, reason, by: yield* nameOf(submitterOf(environment)), freeze })
    }
    if (freeze) {
      return yield* new UsageError({ problem: "--freeze is for one task", hint: "beat pause ID --freeze" })
    }
    const selected = yield* selectedGate(given, "pause")
    if (selected.scope === "schedule") {
      if (until !== null) {
        return yield* new UsageError({
          problem: "A schedule is paused until it is resumed: --until cannot be combined with --schedule",
          hint: `beat resume --schedule ${selected.id}`
        })
      }
      yield* (yield* Schedules).pause(selected.id, { reason, revision: null })
      yield* terminal.say(`Paused: schedule ${selected.id}. To end it: beat resume --schedule ${selected.id}`)
      return ExitCode.ok
    }
    const gate = { ...selected, until, reason, by: yield* nameOf(submitterOf(environment)), freeze: false }
    yield* (yield* Gates).close(gate)
    const { queued, running } = yield* (yield* Tasks).counts
    const rest =
      running === 0
        ? ""
        : ` ${running === 1 ? "1 task running, which continues" : `${running} tasks running, which continue`}.`
    const rows = queued === 0 ? "" : ` ${queued} queued in all.`
    yield* terminal.say(
      `Paused: ${plain(gateWords({ ...gate, at: now }, now))}.${rest}${rows} To end it: ${openingCommand(gate)}`
    )
    return ExitCode.ok
  })
})
