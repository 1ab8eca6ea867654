/** `beat list`: tasks, newest first. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TaskPage, taskPage } from "../../../programs/reports/taskPage.ts"
import { Directories } from "../../../services/Directories.ts"
import { Caller } from "../../framework/Caller.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { pageOptions, taskFilterOptions } from "../../input/ListOptions.ts"
import { json, moment } from "../../input/Values.ts"
import { runningIn, tellNeglect } from "../../output/Attention.ts"
import { taskTable } from "../../output/TaskTable.ts"

const options = Options.all({
  ...taskFilterOptions,
  since: moment("since", "past").pipe(
    Options.withDefault(null),
    Options.withDescription("Show only tasks created since then, e.g. 2h, 2027-03-01 or 'monday 9am'")
  ),
  limit: pageOptions.limit,
  before: pageOptions.before.pipe(Options.withAlias("cursor")),
  json
})

export const list = bareCommand({
  name: "list",
  aliases: ["ls"],
  section: "watch",
  summary: "List tasks, newest first",
  examples: [
    ["beat ls -s failed --since 1d", "what failed since yesterday"],
    ["beat ls -C . -s running -s queued", "running and queued tasks in this directory"]
  ],
  options,
  args: Args.none,
  run: Effect.fn("beat.list")(function* (given) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const directories = yield* Directories
    const page = yield* taskPage({
      status: given.status,
      agent: given.agent,
      labels: given.label,
      directory: given.directory === null ? null : yield* directories.resolve(given.directory, caller.directory),
      parentId: null,
      since: given.since,
      limit: given.limit,
      before: given.before
    })
    const { next } = page
    if (given.json) {
      yield* printJson(TaskPage, page)
      yield* tellNeglect(runningIn(page.tasks))
      return ExitCode.ok
    }
    if (page.tasks.length === 0) {
      yield* terminal.say("No tasks match.")
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    yield* terminal.print(taskTable(page.tasks, now, terminal.stdout, page).join("\n"))
    yield* tellNeglect(runningIn(page.tasks))
    if (next !== null) {
      const { dim } = stylesOf(terminal.stderr)
      yield* terminal.say(dim(`${page.more >= 1000 ? "1000 or more" : page.more} more: --before ${next}`))
    }
    return ExitCode.ok
  })
})
