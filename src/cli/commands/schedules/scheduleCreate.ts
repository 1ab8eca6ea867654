/** `beat schedule create` and `edit`: what runs, when, and by which rules. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { recapture } from "../../../programs/schedules/recapture.ts"
import {
  type Changed,
  createSchedule,
  editSchedule,
  type Served,
  unsettable
} from "../../../programs/schedules/ScheduleChanges.ts"
import { ScheduleReport } from "../../../programs/schedules/scheduleReport.ts"
import { ServiceReport, serviceStatus } from "../../../programs/setup/Service.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Schedules } from "../../../services/Schedules.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { readGiven, readPiped } from "../../input/Prompt.ts"
import {
  captureWork,
  isLoop,
  isMany,
  ruleOptions,
  rulesOf,
  saysWork,
  workOptions
} from "../../input/ScheduleOptions.ts"
import { choices, json } from "../../input/Values.ts"
import { survivalText, timeLine } from "../../output/ScheduleText.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

/** What `create`, `edit` and `resume` print with `--json`. */
const ScheduleChange = Schema.Struct({ schedule: ScheduleReport, service: ServiceReport }).annotations({
  identifier: "ScheduleChange"
})

export const schedule = Args.text({ name: "schedule" }).pipe(
  Args.withDescription("Id of a schedule, a unique beginning of it, its name, or @last")
)

/** Warns on stderr if no worker will fire the schedule. */
export const warnWithoutWorker = Effect.fn("schedule.warnServed")(function* ({ problem }: Served) {
  const terminal = yield* Terminal
  if (Option.isSome(problem)) {
    yield* terminal.say(
      `beat: the schedule is stored, but no worker could be started: ${sanitize(problem.value.message)}`
    )
  }
})

/** The id alone on stdout, so that `id=$(beat schedule create ...)` works; stderr has the next runs. */
export const announceSchedule = Effect.fn("announceSchedule")(function* (
  { schedule, served }: Changed,
  warnings: ReadonlyArray<string>,
  asJson: boolean
) {
  const terminal = yield* Terminal
  for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
  yield* warnWithoutWorker(served)
  const service = yield* serviceStatus()
  if (asJson) {
    yield* printJson(ScheduleChange, { schedule, service })
    return ExitCode.ok
  }
  yield* terminal.print(schedule.id)
  const now = yield* Clock.currentTimeMillis
  const { dim } = stylesOf(terminal.stderr)
  if (schedule.status === "paused")
    yield* terminal.say(`It is paused. To resume it: beat schedule resume ${schedule.id}`)
  if (schedule.status === "completed" || schedule.status === "expired") yield* terminal.say("It has no more runs.")
  const [first, ...more] = schedule.times.map((time) => timeLine(time, now))
  if (first !== undefined) yield* terminal.say(`${schedule.status === "paused" ? "Would fire" : "Fires"} ${first}`)
  for (const line of more) yield* terminal.say(`      ${schedule.status === "paused" ? "     " : ""}${line}`)
  yield* terminal.say(dim(survivalText(service)))
  return ExitCode.ok
})

export const scheduleCreate = readWriteCommand({
  name: "schedule create",
  forPersons: "change schedules",
  section: "tasks",
  summary: "Run a task, a pipeline or a loop at given times",
  details:
    "Prints the schedule's id, its next five runs in local time, and whether schedules survive a reboot. Each run gets the current directory and environment. With --until, --score or --judge each run is a loop, like that of 'beat loop' with the same options. docs/schedules.md has the rules for late, overlapping and skipped runs.",
  examples: [
    ["beat schedule create --cron '0 9 * * 1-5' \"triage new issues\"", "on weekdays at nine"],
    ["beat schedule create --at 'tomorrow 9am' -a shell 'npm audit'", "once"],
    ["beat schedule create --every 15m --name sync -a shell 'git fetch'", "at an interval"],
    ["beat schedule create --name nightly --cron @daily --pipeline nightly.yaml", "a pipeline, every midnight"],
    ["beat schedule create --cron '0 22 * * 5' --loop faster.yaml", "a loop, from Friday evening"],
    [
      "beat schedule create --cron @daily --until 'npm test' --max 5 \"make the tests pass\"",
      "a loop of at most 5 rounds, every midnight"
    ]
  ],
  options: Options.all({ ...ruleOptions, ...workOptions, json }),
  args: promptArguments,
  completes: "none",
  run: Effect.fn("beat.schedule.create")(function* (given, args) {
    const words = wordsOf(args)
    const caller = yield* Caller
    const submitter = submitterOf(caller.environment)
    const rules = rulesOf(given)
    if (rules.cron === null && rules.every === null && rules.at === null) {
      return yield* new UsageError({
        problem: "No time was given: use --cron, --every or --at",
        hint: "beat schedule create --cron '0 9 * * 1-5' \"triage new issues\""
      })
    }
    const steps = given.step.length > 0
    const { piped, prompt } = isMany(given)
      ? {
          prompt: words.find((word) => !steps || word !== "-") ?? null,
          piped: steps ? yield* readPiped(words.includes("-")) : null
        }
      : yield* readGiven(words)
    const { warnings, work } = yield* captureWork(given, { prompt, piped, name: given.name, before: null }, submitter)
    const changed = yield* createSchedule(rules, work, yield* nameOf(submitter))
    return yield* announceSchedule(changed, warnings, given.json)
  })
})

export const scheduleEdit = readWriteCommand({
  name: "schedule edit",
  keeps: true,
  forPersons: "change schedules",
  section: "tasks",
  summary: "Change a schedule",
  details:
    "Changes only what is given. A new prompt, agent or directory takes effect with the next run, in the environment stored with the schedule. Runs in progress continue unchanged.",
  examples: [
    ["beat schedule edit nightly --cron '0 3 * * *'", "another time"],
    ['beat schedule edit nightly "review what changed today"', "another prompt"],
    ["beat schedule edit nightly --unset expires", "it no longer expires"]
  ],
  options: Options.all({
    ...ruleOptions,
    unset: choices("unset", null, unsettable).pipe(Options.withDescription("Clear this setting; repeatable")),
    ...workOptions,
    json
  }),
  args: Args.all({
    id: schedule,
    prompt: Args.text({ name: "prompt" }).pipe(Args.withDescription("The new prompt"), Args.optional)
  }),
  completes: "schedule",
  run: Effect.fn("beat.schedule.edit")(function* (given, args) {
    const caller = yield* Caller
    const schedules = yield* Schedules
    const submitter = submitterOf(caller.environment)
    const id = yield* schedules.resolve(args.id)
    const { revision } = yield* schedules.get(id)
    const prompt = Option.getOrNull(args.prompt)
    const anew = prompt !== null || saysWork(given)
    const before = anew ? recapture(yield* schedules.work(id), submitter) : null
    if (anew && before === null && !isMany(given) && !isLoop(given)) {
      return yield* new UsageError({
        problem: "This schedule starts a pipeline or a loop, which can only be replaced as a whole",
        hint: "Give the new one with --pipeline FILE, --step, --loop FILE, or a prompt with --until. Times and rules can be changed without it."
      })
    }
    const captured = !anew
      ? { work: null, warnings: [] }
      : yield* captureWork(
          given,
          {
            prompt: isMany(given) ? prompt : (prompt ?? before?.submission.prompt ?? null),
            piped: null,
            name: given.name,
            before: before?.submission ?? null
          },
          before?.submitter ?? submitter
        )
    const changed = yield* editSchedule(id, rulesOf(given), given.unset, captured.work, revision)
    return yield* announceSchedule(changed, captured.warnings, given.json)
  })
})
