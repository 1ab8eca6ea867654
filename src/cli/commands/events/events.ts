/** `beat events`: what happened, in order and without a gap, with a number to continue from. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isSelected, keptNotices, Notice, noticeWords, Reset } from "../../../domain/events/Notice.ts"
import { readNotices } from "../../../programs/events/readNotices.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { escapeControls } from "../../../text/Sanitize.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { count, optionalText } from "../../input/Values.ts"
import { noticeLine, resetWords } from "../../output/EventText.ts"
import { plain } from "../../output/TaskTable.ts"

/** How many are shown where no number is given. */
const shown = 20

const encode = Schema.encodeSync(Schema.Union(Notice, Reset))

const readWords = (text: string | null) =>
  Effect.gen(function* () {
    const words = text === null ? [] : text.split(",").map((word) => word.trim())
    const unknown = words.find((word) => !noticeWords.includes(word))
    if (unknown === undefined) return words
    return yield* new UsageError({
      problem: `--only: '${plain(unknown)}' is not one of ${noticeWords.join(", ")}`,
      hint: null
    })
  })

export const events = readOnlyCommand({
  name: "events",
  section: "watch",
  summary: "Show what happened, in order: starts, ends, retries, limits, questions, pauses and more",
  details: `Each thing that happened is a notice with a number. The numbers rise by one, without a gap, whichever process writes. A script that keeps the last number misses nothing: 'beat events --since NUMBER' continues there. The newest 100,000 notices are kept. If notices after the number are gone, or the database was replaced, a notice 'reset' comes first. Words for --only: ${noticeWords.join(", ")}.`,
  examples: [
    ["beat events -f", "new notices as they come"],
    ["beat events --since 8812 -f --json", "every notice after 8812, one JSON document on each line"],
    ["beat events --since 0 --only failed,limit", "the failures and the limits that are on record"]
  ],
  options: Options.all({
    since: count("since", 0, Number.MAX_SAFE_INTEGER).pipe(
      Options.withDefault(null),
      Options.withDescription(
        `Start after this number (default: show the newest ${shown}, with --only or --task all of them, and with -f only new ones)`
      )
    ),
    follow: Options.boolean("follow").pipe(
      Options.withAlias("f"),
      Options.withDescription("Wait for more until the command is interrupted")
    ),
    only: optionalText("only", "words").pipe(
      Options.withDescription("Show only these, e.g. failed,pipeline-ended (default: all)")
    ),
    task: optionalText("task", "id").pipe(Options.withDescription("Show only what is about this task")),
    json: Options.boolean("json").pipe(Options.withDescription("Print one JSON document on each line"))
  }),
  args: Args.none,
  run: Effect.fn("beat.events")(function* ({ follow, json, only, since, task }) {
    const terminal = yield* Terminal
    const words = yield* readWords(only)
    const taskId = task === null ? null : yield* Effect.flatMap(Tasks, (tasks) => tasks.resolve(task))
    const wanted = (item: Notice | Reset): boolean =>
      item.kind === "reset" ||
      ((words.length === 0 || isSelected(item, words)) && (taskId === null || item.taskId === taskId))
    // The newest of a task or of a kind may lie far back.
    const filtered = words.length > 0 || taskId !== null
    const last = follow ? 0 : filtered ? keptNotices : shown
    yield* readNotices({ after: since, last, follow }).pipe(
      Stream.filter(wanted),
      Stream.runForEach((item) =>
        json
          ? terminal.write(`${escapeControls(JSON.stringify(encode(item)))}\n`)
          : item.kind === "reset"
            ? terminal.say(`beat: ${resetWords(item)}`)
            : terminal.print(noticeLine(item, terminal.stdout))
      )
    )
    return ExitCode.ok
  })
})
