/** A line that moves while a person waits: how long it takes and what is going on. Without a terminal there is none. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { TaskSummary } from "../../domain/Task.ts"
import { isTerminal } from "../../domain/Task.ts"
import { follow } from "../../programs/follow.ts"
import { span } from "../../programs/text/Age.ts"
import * as Render from "../../programs/text/Render.ts"
import { Agents } from "../../services/Agents.ts"
import { Terminal } from "../Terminal.ts"
import { cut } from "./Layout.ts"

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const

/** Shows `line` with a spinner and the time since the start while `self` runs. */
export const withProgress =
  <E2, R2>(line: Effect.Effect<string, E2, R2>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2 | Terminal> =>
    Effect.flatMap(Terminal, (terminal) => {
      if (!terminal.stderr.tty) return self
      const draw = Effect.gen(function* () {
        const start = yield* Clock.currentTimeMillis
        for (let turn = 0; ; turn = (turn + 1) % frames.length) {
          // Nothing for the first moment: what is quick needs no spinner.
          yield* Effect.sleep("200 millis")
          const elapsed = (yield* Clock.currentTimeMillis) - start
          const text = `${frames[turn]} ${elapsed < 1000 ? "0s" : span(Math.floor(elapsed / 1000) * 1000)} · ${yield* line}`
          yield* terminal.progress(cut(text, (terminal.stderr.columns ?? 80) - 1))
        }
      })
      // A line that cannot be drawn must not end the wait.
      const drawing = Effect.zipRight(Effect.ignore(draw), Effect.never)
      return Effect.ensuring(Effect.raceFirst(self, drawing), terminal.progress(null))
    })

/** What one task is doing: its last line of output, and how many there were. Reads along in a fiber of its own. */
export const activity = Effect.fn("activity")(function* (task: Pick<TaskSummary, "id" | "agent">) {
  const terminal = yield* Terminal
  const seen = yield* Ref.make({ lines: 0, last: "" })
  const agents = yield* Agents
  const render = Render.make(yield* agents.renderer(task.agent))
  if (terminal.stderr.tty) {
    yield* follow(task.id, { stream: null, after: -1, follow: true }).pipe(
      Stream.runForEach((chunk) => {
        const lines = render.push(chunk)
        const last = lines.findLast(({ text }) => text.trim() !== "")?.text.trim()
        return Ref.update(seen, (before) => ({ lines: before.lines + lines.length, last: last ?? before.last }))
      }),
      Effect.catchAllCause((cause) => Effect.logDebug("the progress line stopped reading", cause)),
      Effect.forkScoped
    )
  }
  return Effect.map(Ref.get(seen), ({ lines, last }) =>
    lines === 0 ? "no output yet" : `${lines} ${lines === 1 ? "line" : "lines"} · ${last.replaceAll("\t", " ")}`
  )
})

/** How far several tasks are. */
export const tally = (tasks: ReadonlyArray<TaskSummary>): string => {
  const done = tasks.filter(({ status }) => isTerminal(status)).length
  const running = tasks.filter(({ status }) => status === "running").length
  return `${done} of ${tasks.length} ended, ${running} running`
}
