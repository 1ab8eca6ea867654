/** `beat group`: how many tasks of a group run at the same time. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { Gate, Group, type Group as GroupType } from "../../../domain/gates/Gate.ts"
import { GroupNotFound } from "../../../domain/gates/GateErrors.ts"
import { gateWords } from "../../../programs/gates/gateWords.ts"
import { readGroupName } from "../../../programs/gates/requireGroup.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { Gates } from "../../../services/Gates.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json, optionalText } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

/** What `beat group list --json` prints. */
export const GroupsView = Schema.Struct({
  groups: Schema.Array(Group),
  /** Everything that is paused. */
  gates: Schema.Array(Gate)
}).annotations({ identifier: "GroupsView" })

const name = Args.text({ name: "name" }).pipe(Args.withDescription("Name of the group"))

const readLimit = (text: string | null) => {
  if (text === null || text === "none") return Effect.succeed(null)
  const limit = Number(text)
  return /^\d+$/.test(text) && limit >= 1 && limit <= 10_000
    ? Effect.succeed(limit)
    : Effect.fail(
        new InvalidInput({ field: "--limit", problem: "is not a whole number from 1 to 10000, or none", example: "2" })
      )
}

export const groupSet = readWriteCommand({
  name: "group set",
  forPersons: "change groups",
  section: "machine",
  summary: "Make a group of tasks, or change how many of them run at the same time",
  details:
    "A limit applies over all workers, in addition to the setting maxConcurrency. A new limit applies from the next start: running tasks continue.",
  examples: [
    ["beat group set review --limit 2", "at most two reviews at the same time"],
    ['beat run -g review "review what changed"', "a task of the group"]
  ],
  options: Options.all({
    limit: optionalText("limit", "number | none").pipe(
      Options.withDescription("Run at most this many tasks of the group at the same time (default: none)")
    )
  }),
  args: name,
  completes: "none",
  run: Effect.fn("beat.group.set")(function* ({ limit }, text) {
    const terminal = yield* Terminal
    const group = yield* readGroupName(text, "name")
    const most = yield* readLimit(limit)
    yield* (yield* Gates).setGroup(group, most)
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    yield* terminal.say(
      most === null
        ? `Group ${group} has no limit.`
        : `Group ${group} runs at most ${most === 1 ? "1 task" : `${most} tasks`} at the same time.`
    )
    return ExitCode.ok
  })
})

const rowsOf = (groups: ReadonlyArray<GroupType>, gates: ReadonlyArray<Gate>, now: number) =>
  groups.map((group) => {
    const gate = gates.find(({ name, scope }) => scope === "all" || (scope === "group" && name === group.name))
    return [
      { text: group.name },
      { text: group.limit === null ? "none" : String(group.limit) },
      { text: String(group.running) },
      { text: group.waiting >= 1000 ? "1000+" : String(group.waiting) },
      { text: gate === undefined ? "open" : `paused: ${plain(gateWords(gate, now))}` }
    ]
  })

export const groupList = readOnlyCommand({
  name: "group list",
  section: "watch",
  summary: "Show the groups, their limits, and what is paused",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.group.list")(function* (given) {
    const terminal = yield* Terminal
    const store = yield* Gates
    const groups = yield* store.groups
    const gates = yield* store.list
    if (given.json) {
      yield* printJson(GroupsView, { groups, gates })
      return ExitCode.ok
    }
    if (groups.length === 0) {
      yield* terminal.print("There is no group yet. To make one: beat group set NAME --limit 2")
      return ExitCode.ok
    }
    const { dim } = stylesOf(terminal.stdout)
    const columns = [
      { title: "GROUP" },
      { title: "LIMIT", align: "right" as const },
      { title: "RUN", align: "right" as const },
      { title: "WAIT", align: "right" as const },
      { title: "STATE", shrinkTo: 8 }
    ]
    const rows = rowsOf(groups, gates, yield* Clock.currentTimeMillis)
    yield* terminal.print(table(columns, rows, terminal.stdout.columns, dim).join("\n"))
    return ExitCode.ok
  })
})

export const groupRemove = readWriteCommand({
  name: "group remove",
  forPersons: "change groups",
  section: "machine",
  summary: "Remove a group that has no queued or running task",
  options: Options.none,
  args: name,
  completes: "none",
  run: Effect.fn("beat.group.remove")(function* (_given, text) {
    const terminal = yield* Terminal
    const group = yield* readGroupName(text, "name")
    const answer = yield* (yield* Gates).removeGroup(group)
    if (answer === "missing") return yield* new GroupNotFound({ name: group })
    if (answer === "busy") {
      yield* terminal.say(
        `beat: tasks of group ${group} are queued or running. To have no limit: beat group set ${group} --limit none`
      )
      return ExitCode.failed
    }
    yield* terminal.say(`Group ${group} is removed.`)
    return ExitCode.ok
  })
})
