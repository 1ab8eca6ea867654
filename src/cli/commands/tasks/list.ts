/** `beat list`: tasks, newest first. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TaskStatus } from "../../../domain/task/Task.ts"
import { TaskPage, taskPage } from "../../../programs/reports/taskPage.ts"
import { Directories } from "../../../services/Directories.ts"
import { Caller } from "../../framework/Caller.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { choices, count, json, moment, optionalText, pairs } from "../../input/Values.ts"
import { tellNeglect } from "../../output/Attention.ts"
import { taskTable } from "../../output/TaskTable.ts"

const options = Options.all({
  status: choices("status", "s", TaskStatus.literals).pipe(
    Options.withDescription("Show only tasks with this status; repeatable")
  ),
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription("Show only tasks of this agent")
  ),
  label: pairs("label").pipe(
    Options.withAlias("l"),
    Options.withDescription("Show only tasks that have all of these labels")
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("Show only tasks in this working directory")
  ),
  since: moment("since", "past").pipe(
    Options.withDefault(null),
    Options.withDescription("Show only tasks created since then, e.g. 2h, 2027-03-01 or 'monday 9am'")
  ),
  limit: count("limit", 1, 1000).pipe(
    Options.withAlias("n"),
    Options.withDefault(20),
    Options.withDescription("Show this many, at most 1000 (default: 20)")
  ),
  before: count("before", 0, Number.MAX_SAFE_INTEGER).pipe(
    Options.withAlias("cursor"),
    Options.withDefault(null),
    Options.withDescription("Show the next page, from the number at the end of the previous page")
  ),
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
      yield* tellNeglect(page.tasks)
      return ExitCode.ok
    }
    if (page.tasks.length === 0) {
      yield* terminal.say("No tasks match.")
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    yield* terminal.print(taskTable(page.tasks, now, terminal.stdout, page).join("\n"))
    yield* tellNeglect(page.tasks)
    if (next !== null) {
      const { dim } = stylesOf(terminal.stderr)
      yield* terminal.say(dim(`${page.more >= 1000 ? "1000 or more" : page.more} more: --before ${next}`))
    }
    return ExitCode.ok
  })
})
