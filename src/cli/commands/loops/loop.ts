/** `beat loop list`, `status`, `pause`, `resume` and `cancel`: loops that were submitted. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Loop, LoopPage, LoopStatus } from "../../../domain/loop/Loop.ts"
import { pauseLoop, resumeLoop } from "../../../programs/loops/LoopChanges.ts"
import { cancelLoop } from "../../../programs/loops/waitForLoop.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { ensureWorker } from "../../../programs/worker/ensureWorker.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
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
import { tellMore } from "../../output/tellMore.ts"
import { waiting } from "../../output/waiting.ts"

const loop = Args.text({ name: "id" }).pipe(Args.withDescription("Id of a loop, a unique beginning of it, or @last"))

export const loopList = readOnlyCommand({
  name: "loop list",
  section: "watch",
  summary: "List loops, newest first",
  examples: [["beat loop list -s running -s paused", "those that have not ended"]],
  options: Options.all({
    status: choices("status", "s", LoopStatus.literals).pipe(
      Options.withDescription(`Show only loops with this status: ${LoopStatus.literals.join(", ")}; repeatable`)
    ),
    ...pageOptions,
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.loop.list")(function* (given) {
    const terminal = yield* Terminal
    const { loops, more } = yield* (yield* Loops).list({ ...given, goals: false })
    const next = more ? (loops.at(-1)?.seq ?? null) : null
    if (given.json) {
      yield* printJson(LoopPage, { loops, next })
      return ExitCode.ok
    }
    if (loops.length === 0) {
      yield* terminal.say(`No loops. Start one: beat loop "fix the tests" --until "npm test"`)
      return ExitCode.ok
    }
    yield* terminal.print(loopTable(loops, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    yield* tellMore("beat loop list --before", next)
    return ExitCode.ok
  })
})

export const loopStatus = readOnlyCommand({
  name: "loop status",
  section: "watch",
  summary: "Show one loop with its rounds and scores",
  examples: [["beat loop status", "the newest one"]],
  options: Options.all({ json }),
  args: Args.optional(loop),
  completes: "loop",
  run: Effect.fn("beat.loop.status")(function* (given, reference) {
    const terminal = yield* Terminal
    const loops = yield* Loops
    const found = yield* loops.get(yield* loops.resolve(Option.getOrElse(reference, () => "@last")))
    if (given.json) yield* printJson(Loop, found)
    else yield* terminal.print(describeLoop(found, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    yield* tellNeglect(newestTasks(found))
    return ExitCode.ok
  })
})

export const loopPause = readWriteCommand({
  name: "loop pause",
  section: "tasks",
  summary: "Pause a loop after the round that is running",
  examples: [["beat loop pause @last", "the newest one"]],
  options: Options.all({ json }),
  args: Args.all({ id: loop }),
  completes: "loop",
  run: Effect.fn("beat.loop.pause")(function* (given, { id }) {
    const terminal = yield* Terminal
    const loops = yield* Loops
    const paused = yield* pauseLoop(yield* loops.resolve(id), submitterOf((yield* Caller).environment))
    if (given.json) yield* printJson(Loop, paused)
    else
      yield* terminal.print(`${paused.id} pauses after round ${paused.round}. Resume it: beat loop resume ${paused.id}`)
    return ExitCode.ok
  })
})

export const loopResume = readWriteCommand({
  name: "loop resume",
  section: "tasks",
  summary: "Resume a paused loop with its next round",
  examples: [["beat loop resume @last", "the newest one"]],
  options: Options.all({ json }),
  args: Args.all({ id: loop }),
  completes: "loop",
  run: Effect.fn("beat.loop.resume")(function* (given, { id }) {
    const terminal = yield* Terminal
    const loops = yield* Loops
    const resumed = yield* resumeLoop(yield* loops.resolve(id), submitterOf((yield* Caller).environment))
    yield* ensureWorker().pipe(
      Effect.catchAll((error) =>
        terminal.say(`beat: the round is queued, but no worker could be started: ${error.message}`)
      )
    )
    if (given.json) yield* printJson(Loop, resumed)
    else yield* terminal.print(`${resumed.id} ${loopEnding(resumed, terminal.stdout)}, round ${resumed.round}`)
    return ExitCode.ok
  })
})

export const loopCancel = readWriteCommand({
  name: "loop cancel",
  section: "tasks",
  summary: "Cancel a loop and wait until its processes have exited",
  details: "Stops the round that is running. What earlier rounds left is kept: beat loop status shows it.",
  examples: [["beat loop cancel @last", "the newest one"]],
  options: Options.all({
    reason: reasonOption("loop"),
    json
  }),
  args: Args.all({ id: loop }),
  completes: "loop",
  answer: () => "ending",
  run: Effect.fn("beat.loop.cancel")(function* (given, { id }) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const resolved = yield* (yield* Loops).resolve(id)
    const submitter = submitterOf(caller.environment)
    const request = { reason: given.reason, by: yield* nameOf(submitter) }
    const cancelled = yield* cancelLoop(resolved, request, submitter, yield* waiting(false)).pipe(whileCancelling)
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    if (given.json) yield* printJson(Loop, cancelled.loop)
    else yield* terminal.print(cancelledLine(resolved, cancelled.answer, loopEnding(cancelled.loop, terminal.stdout)))
    return ExitCode.ok
  })
})
