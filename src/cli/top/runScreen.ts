/** The live screen: takes the terminal, draws what has changed, and does what keys ask for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Queue from "effect/Queue"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { Directories } from "../../services/Directories.ts"
import { Caller } from "../framework/Caller.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"
import { commandText } from "./Actions.ts"
import { difference } from "./Differ.ts"
import { parseFilter } from "./Filter.ts"
import { frameLines } from "./Frame.ts"
import { FullScreen, type ScreenEvent } from "./FullScreen.ts"
import { makePacing, question } from "./makePacing.ts"
import { nextTickMs } from "./nextTickMs.ts"
import { runWords } from "./runWords.ts"
import { painted } from "./Span.ts"
import type { TopState, Words } from "./TopState.ts"
import { type TopEvent, update, type Wish } from "./update.ts"
import { wantOf } from "./wantOf.ts"
import { watchQueue } from "./watchQueue.ts"

/** For the last answer of the terminal, in milliseconds. */
const lastAnswerMs = 200

type News =
  | { readonly from: "screen"; readonly event: ScreenEvent }
  | { readonly from: "queue"; readonly event: TopEvent }

/** The terminal's own copying: works through ssh, where the terminal allows it. */
const copying = (text: string): string => `\u001b]52;c;${Encoding.encodeBase64(text)}\u0007`

const live = Effect.fn("top.screen")(function* (start: TopState) {
  const screen = yield* FullScreen
  const terminal = yield* Terminal
  const caller = yield* Caller
  const directories = yield* Directories
  const styles = stylesOf(terminal.stdout)
  // A queue of the news themselves would lose one that arrives at the very moment at which a wait for it is over.
  const news: Array<News> = []
  const bell = yield* Queue.sliding<void>(1)
  const bring = (one: News) =>
    Effect.suspend(() => {
      news.push(one)
      return Effect.asVoid(Queue.offer(bell, undefined))
    })
  const tell = (event: TopEvent) => bring({ from: "queue", event })

  let state = start
  let want = wantOf(state, null)
  let drawn: ReadonlyArray<string> | null = null
  const pacing = makePacing()
  const ending: { code: ExitCode | null } = { code: null }
  let working = 0

  const watch = yield* watchQueue(want, tell)
  const orders = yield* Queue.unbounded<ReadonlyArray<Words>>()

  /** One after the other: a second order waits for the first. */
  const worker = Effect.gen(function* () {
    const commands = yield* Queue.take(orders)
    const said: Array<string> = []
    let bad = false
    for (const words of commands) {
      yield* tell({ kind: "busy", text: commandText(words) })
      const { code, lines } = yield* runWords(words)
      bad = bad || code !== ExitCode.ok
      said.push(`${commandText(words)}: ${lines.length === 0 ? "done" : lines.join("  ")}`)
    }
    working -= 1
    yield* tell({ kind: "busy", text: null })
    yield* tell({ kind: "message", message: { text: said.join("; "), bad } })
    yield* watch.again
  })
  yield* Effect.forkScoped(Effect.forever(worker))

  const setFilter = Effect.fnUntraced(function* (text: string) {
    const now = yield* Clock.currentTimeMillis
    const resolve = (path: string) => directories.resolve(path, caller.directory)
    yield* parseFilter(text, now, resolve).pipe(
      Effect.matchEffect({
        onFailure: (problem) => tell({ kind: "message", message: { text: `Filter: ${problem}`, bad: true } }),
        onSuccess: (filter) => tell({ kind: "filter", text, filter })
      })
    )
  })

  const grant = Effect.fnUntraced(function* (wish: Wish) {
    switch (wish.kind) {
      case "quit":
        if (working === 0) {
          ending.code = ExitCode.ok
          return
        }
        yield* tell({ kind: "message", message: { text: "It leaves when the command has ended.", bad: false } })
        ending.code = ExitCode.ok
        return
      case "run":
        working += 1
        return void (yield* Queue.offer(orders, wish.commands))
      case "filter":
        return yield* setFilter(wish.text)
      case "copy":
        return void (yield* screen.write(copying(wish.text)))
      case "suspend":
        return yield* screen.suspend
      case "redraw":
        drawn = null
    }
  })

  const take = Effect.fnUntraced(function* (event: TopEvent) {
    const updated = update(state, event)
    state = updated.state
    for (const wish of updated.wishes) yield* grant(wish)
    want = wantOf(state, want)
    yield* watch.want(want)
  })

  const hear = (one: News): Effect.Effect<void, never, Effect.Effect.Context<ReturnType<typeof take>>> => {
    if (one.from === "queue") return take(one.event)
    const { event } = one
    switch (event.kind) {
      case "continued":
        pacing.restart()
        drawn = null
        return Effect.void
      case "size":
        drawn = null
        return take(event)
      case "answered":
        return Effect.sync(pacing.answered)
      case "press":
        pacing.focus(event.press.name !== "focus-out")
        return event.press.name.startsWith("focus-") ? Effect.void : take(event)
    }
  }

  const draw = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const lines = frameLines(state, now).map((line) => painted(line, styles))
    const text = difference(drawn, lines)
    drawn = lines
    if (text === "") return
    pacing.drew(yield* elapsedMs, screen.keyboard)
    if (!(yield* screen.write(screen.keyboard ? `${text}${question}` : text))) ending.code = ExitCode.outputClosed
  })

  /** What else comes is dropped: it is over. */
  const answers = Effect.gen(function* () {
    while (pacing.waits()) {
      yield* Queue.take(bell)
      for (const { event } of news.splice(0)) if (event.kind === "answered") pacing.answered()
    }
  })

  const keys = yield* screen.open
  yield* Effect.forkScoped(
    Effect.forever(Effect.flatMap(Queue.take(keys), (event) => bring({ from: "screen", event })))
  )
  yield* draw
  while (true) {
    const now = yield* Clock.currentTimeMillis
    const rest = pacing.rest(yield* elapsedMs)
    yield* Effect.timeoutOption(Queue.take(bell), Math.max(1, rest > 0 ? rest : nextTickMs(state, now)))
    for (const one of news.splice(0)) yield* hear(one)
    if (ending.code !== null && working === 0) {
      yield* Effect.timeoutOption(answers, lastAnswerMs)
      return ending.code
    }
    if (pacing.rest(yield* elapsedMs) <= 0) yield* draw
  }
})

/** Until its user leaves or the terminal is gone; the exit code. */
export const runScreen = (start: TopState) => Effect.scoped(live(start))
