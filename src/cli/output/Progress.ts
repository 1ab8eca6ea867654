/** A progress line for a waiting person: the elapsed time and the current activity. Shown only on a terminal. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { isTerminal } from "../../domain/task/Task.ts"
import { watchActivity } from "../../programs/reports/watchActivity.ts"
import { span } from "../../text/FormatDuration.ts"
import { Terminal } from "../framework/Terminal.ts"
import { cut } from "./Layout.ts"

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const

/** Shows `line` with a spinner and the time since the start while `self` runs. */
export const withProgress =
  <E2, R2>(line: Effect.Effect<string, E2, R2>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2 | Terminal> =>
    Effect.flatMap(Terminal, (terminal) => {
      if (!terminal.stderr.tty) return self
      const draw = Effect.gen(function* () {
        const start = yield* elapsedMs
        for (let turn = 0; ; turn = (turn + 1) % frames.length) {
          // Show nothing for the first moment: a quick operation needs no spinner.
          yield* Effect.sleep("200 millis")
          const elapsed = (yield* elapsedMs) - start
          const text = `${frames[turn]} ${elapsed < 1000 ? "0s" : span(Math.floor(elapsed / 1000) * 1000)} · ${yield* line}`
          yield* terminal.progress(cut(text, (terminal.stderr.columns ?? 80) - 1))
        }
      })
      // A line that cannot be drawn must not end the wait.
      const drawing = Effect.zipRight(Effect.ignore(draw), Effect.never)
      return Effect.ensuring(Effect.raceFirst(self, drawing), terminal.progress(null))
    })

/** The activity of one task: its last line of output and the number of lines. Without a terminal it is not computed. */
export const activity = Effect.fn("activity")(function* (task: Pick<TaskSummary, "id" | "agent">) {
  const terminal = yield* Terminal
  const seen = terminal.stderr.tty ? yield* watchActivity(task) : Effect.succeed({ lines: 0, last: "" })
  return Effect.map(seen, ({ lines, last }) =>
    lines === 0 ? "no output yet" : `${lines} ${lines === 1 ? "line" : "lines"} · ${last.replaceAll("\t", " ")}`
  )
})

/** The progress of several tasks. */
export const tally = (tasks: ReadonlyArray<TaskSummary>): string => {
  const done = tasks.filter(({ status }) => isTerminal(status)).length
  const running = tasks.filter(({ status }) => status === "running").length
  const parked = tasks.filter(({ parkedAt, status }) => status === "queued" && parkedAt !== null).length
  return `${done} of ${tasks.length} ended, ${running} running${parked === 0 ? "" : `, ${parked} parked`}`
}
