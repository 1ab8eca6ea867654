/** `beat goal list`, `status` and `cancel`: goals that were set. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Loop, LoopPage, LoopStatus } from "../../../domain/loop/Loop.ts"
import { LoopNotFound } from "../../../domain/loop/LoopErrors.ts"
import { cancelGoal } from "../../../programs/goals/cancelGoal.ts"
import { treeOfLoop } from "../../../programs/reports/TaskTree.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Loops } from "../../../services/Loops.ts"
import { Caller } from "../../framework/Caller.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { pageOptions } from "../../input/ListOptions.ts"
import { choices, json } from "../../input/Values.ts"
import { tellNeglect } from "../../output/Attention.ts"
import { cancelledLine, reasonOption, whileCancelling } from "../../output/Cancelling.ts"
import { describeLoop, loopEnding, loopTable, newestTasks } from "../../output/LoopTable.ts"
import { treeText } from "../../output/treeText.ts"
import { waiting } from "../../output/waiting.ts"

const goal = Args.text({ name: "id" }).pipe(Args.withDescription("Id of a goal, a unique beginning of it, or @last"))

/** The goal of this reference; `@last` is the newest. */
const goalAt = Effect.fn("goalAt")(function* (reference: string) {
  const loops = yield* Loops
  const none = { reference, candidates: [], goal: true }
  let meant = reference
  if (reference === "@last") {
    const newest = (yield* loops.list({ status: [], goals: true, limit: 1, before: null })).loops[0]
    if (newest === undefined) return yield* new LoopNotFound(none)
    meant = newest.id
  }
  const id = yield* Effect.catchTag(loops.resolve(meant), "LoopNotFound", (error) =>
    Effect.fail(new LoopNotFound({ ...error, goal: true }))
  )
  const found = yield* loops.get(id)
  return found.goal === null ? yield* new LoopNotFound({ ...none, other: { kind: "loop", id } }) : found
})

export const goalList = readOnlyCommand({
  name: "goal list",
  section: "watch",
  summary: "List goals, newest first",
  examples: [["beat goal list -s running", "those that have not ended"]],
  options: Options.all({
    status: choices("status", "s", LoopStatus.literals).pipe(
      Options.withDescription(`Show only goals with this status: ${LoopStatus.literals.join(", ")}; repeatable`)
    ),
    limit: pageOptions.limit,
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.goal.list")(function* ({ json, limit, status }) {
    const terminal = yield* Terminal
    const { loops, more } = yield* (yield* Loops).list({ status, limit, goals: true, before: null })
    if (json) yield* printJson(LoopPage, { loops, next: more ? (loops.at(-1)?.seq ?? null) : null })
    else if (loops.length === 0) {
      yield* terminal.say(`No goals. Set one: beat goal "move from REST to tRPC" --until "npm test"`)
    } else {
      yield* terminal.print(loopTable(loops, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    }
    return ExitCode.ok
  })
})

export const goalStatus = readOnlyCommand({
  name: "goal status",
  section: "watch",
  summary: "Show one goal with its bounds, rounds and tasks",
  examples: [["beat goal status", "the newest one"]],
  options: Options.all({ json }),
  args: Args.optional(goal),
  completes: "loop",
  run: Effect.fn("beat.goal.status")(function* (given, reference) {
    const terminal = yield* Terminal
    const found = yield* goalAt(Option.getOrElse(reference, () => "@last"))
    if (given.json) yield* printJson(Loop, found)
    else {
      const now = yield* Clock.currentTimeMillis
      yield* terminal.print(describeLoop(found, now, terminal.stdout).join("\n"))
      yield* terminal.print(["", ...treeText(yield* treeOfLoop(found.id), now, terminal.stdout).slice(2)].join("\n"))
    }
    yield* tellNeglect(newestTasks(found))
    return ExitCode.ok
  })
})

export const goalCancel = readWriteCommand({
  name: "goal cancel",
  forPersons: "cancel a goal",
  section: "tasks",
  summary: "Cancel a goal with all its tasks and wait until their processes have exited",
  details: "The work of its tasks is kept in their workspaces: beat diff and beat merge take the ids of tasks.",
  examples: [["beat goal cancel m8x2", "the goal and everything below it"]],
  options: Options.all({
    reason: reasonOption("goal"),
    json
  }),
  args: Args.all({ id: goal }),
  completes: "loop",
  answer: () => "ending",
  run: Effect.fn("beat.goal.cancel")(function* (given, { id }) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const submitter = submitterOf(caller.environment)
    const { id: resolved } = yield* goalAt(id)
    const request = { reason: given.reason, by: yield* nameOf(submitter) }
    const cancelled = yield* cancelGoal(resolved, request, submitter, yield* waiting(false)).pipe(whileCancelling)
    if (given.json) yield* printJson(Loop, cancelled.loop)
    else yield* terminal.print(cancelledLine(resolved, cancelled.answer, loopEnding(cancelled.loop, terminal.stdout)))
    return ExitCode.ok
  })
})
