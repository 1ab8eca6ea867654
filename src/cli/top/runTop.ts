/** What `beat top` does with its options: the screen, one screen as text, or lines. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { makeLook } from "../../programs/top/Look.ts"
import { makeOutputTail } from "../../programs/top/OutputTail.ts"
import { Directories } from "../../services/Directories.ts"
import type { TopOptions } from "../commands/watch/top.ts"
import { Stores } from "../framework/Access.ts"
import { Caller } from "../framework/Caller.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"
import { UsageError } from "../framework/UsageError.ts"
import { type Filter, parseFilter } from "./Filter.ts"
import { frameLines } from "./Frame.ts"
import { FullScreen } from "./FullScreen.ts"
import { runPlain } from "./runPlain.ts"
import { runScreen } from "./runScreen.ts"
import { painted } from "./Span.ts"
import { initial, type TopState } from "./TopState.ts"
import { update } from "./update.ts"

const quoted = (text: string): string => (/\s/.test(text) ? `"${text}"` : text)

/** The options as the words of a filter. */
const wordsOf = ({ agent, directory, label, since, status }: TopOptions): string =>
  [
    ...status.map((word) => `status:${word}`),
    ...(agent === null ? [] : [`agent:${agent}`]),
    ...Object.entries(label).map(([key, value]) => `label:${key}=${value}`),
    ...(directory === null ? [] : [`directory:${directory}`]),
    ...(since === null ? [] : [`since:${since}`])
  ]
    .map(quoted)
    .join(" ")

/** One look, as text. */
const printOnce = Effect.fn("top.once")(function* (start: TopState) {
  const terminal = yield* Terminal
  const { look } = yield* makeLook
  const view = yield* look({ ...start.filter, limit: start.limit })
  let { state } = update(start, { kind: "view", view })
  const selected = [...view.running, ...view.queued, ...view.ended].find(({ task }) => task.id === state.cursor)
  if (selected !== undefined) {
    const tail = yield* makeOutputTail(selected.task)
    yield* tail.advance
    state = update(state, { kind: "output", taskId: selected.task.id, text: tail.text() }).state
  }
  const styles = stylesOf(terminal.stdout)
  const lines = frameLines(state, yield* Clock.currentTimeMillis).map((line) => painted(line, styles))
  // The last line is for keys, and there are none.
  lines.pop()
  while (lines.at(-1) === "") lines.pop()
  yield* terminal.print(lines.join("\n"))
  return ExitCode.ok
})

const filterOf = (text: string) =>
  Effect.gen(function* () {
    const caller = yield* Caller
    const directories = yield* Directories
    const now = yield* Clock.currentTimeMillis
    const filter: Filter = yield* parseFilter(text, now, (path) => directories.resolve(path, caller.directory)).pipe(
      Effect.mapError((problem) => new UsageError({ problem, hint: "'beat top --help' shows how to use it." }))
    )
    return filter
  })

export const runTop = Effect.fn("beat.top")(function* (given: TopOptions) {
  const screen = yield* FullScreen
  const { environment } = yield* Caller
  const filterText = wordsOf(given)
  const filter = yield* filterOf(filterText)
  const plain = given.plain || (environment.BEAT_PLAIN ?? "") !== "" || !screen.able
  if (plain && !given.once) return yield* runPlain(filter, given.ascii)
  const start: TopState = {
    ...initial({ ...(yield* screen.size), ascii: given.ascii, keyboard: screen.keyboard && !given.once }),
    filter,
    filterText
  }
  if (given.once) {
    const { read } = yield* Stores
    return yield* Effect.provide(printOnce(start), read)
  }
  // A log line would be written into the middle of the screen.
  return yield* Effect.provide(runScreen(start), Logger.remove(Logger.defaultLogger))
})
