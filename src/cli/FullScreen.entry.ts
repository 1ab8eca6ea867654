/** Takes over the terminal of this process: raw keys, the alternate screen, and signals. */
import { writeSync } from "node:fs"
import * as readline from "node:readline"
import { PassThrough } from "node:stream"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { FullScreen, type ScreenEvent, type Size } from "./top/FullScreen.ts"
import { pressOf, type RawKey } from "./top/Keys.ts"
import { answer } from "./top/makePacing.ts"

/** Alternate screen, no cursor, no wrapping at the right edge; the terminal reports focus and pasted text. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?1004h\u001b[?2004h"
const leave = "\u001b[?2004l\u001b[?1004l\u001b[?7h\u001b[?25h\u001b[?1049l"

/** A lone escape is the start of a longer key unless nothing follows within this time, in milliseconds. */
const escapeMs = 50

/** Lines and columns that a variable names, as `watch` and tests set them. */
const numberOf = (text: string | undefined): number | null => {
  const value = Number.parseInt(text ?? "", 10)
  return Number.isInteger(value) && value > 0 ? value : null
}

const sizeNow = (): Size => ({
  columns: numberOf(process.env.COLUMNS) ?? (process.stdout.columns || 80),
  rows: numberOf(process.env.LINES) ?? (process.stdout.rows || 24)
})

/** The terminal's own size comes first: shells export COLUMNS and LINES from before a resize. */
const liveSize = (): Size =>
  process.stdout.isTTY ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 } : sizeNow()

/** Synchronous, because it is the last thing that the process does. */
const writeLast = (text: string) => {
  try {
    writeSync(1, text)
  } catch {
    // The terminal is gone.
  }
}

const raw = (on: boolean) => {
  try {
    if (process.stdin.isTTY) process.stdin.setRawMode(on)
  } catch {
    // The terminal is gone.
  }
}

const open = Effect.gen(function* () {
  const events = yield* Queue.unbounded<ScreenEvent>()
  const offer = (event: ScreenEvent) => events.unsafeOffer(event)
  const keyboard = process.stdin.isTTY === true
  let taken = false
  let pasting = false
  const take = () => {
    taken = true
    raw(true)
    process.stdout.write(enter)
  }
  const give = () => {
    if (!taken) return
    taken = false
    writeLast(leave)
  }
  const onKey = (typed: string | undefined, key: RawKey) => {
    // One that came in parts.
    if (key.sequence === answer) {
      offer({ kind: "answered" })
      return
    }
    const press = pressOf(typed, key)
    if (press === null) return
    if (press.name === "paste-start" || press.name === "paste-end") {
      pasting = press.name === "paste-start"
      return
    }
    // What is pasted is text: no key of it acts.
    offer({ kind: "press", press: pasting ? { name: "pasted", text: press.text } : press })
  }
  const onSize = () => offer({ kind: "size", ...liveSize() })
  /** Where Node does not reset the mode of the terminal, as it does when it exits. */
  const giveAll = () => {
    give()
    raw(false)
  }
  const onStop = () => {
    giveAll()
    process.kill(process.pid, "SIGSTOP")
  }
  const onContinue = () => {
    // The shell has its own settings of the terminal by now, and Node sets only what it believes to be different.
    raw(false)
    take()
    onSize()
    offer({ kind: "continued" })
  }
  // Node aborts where it exits and cannot reset a terminal that is gone. The signal of that ends it without.
  const onGone = () => process.kill(process.pid, "SIGHUP")
  const typed = new PassThrough()
  /** The decoder would take an escape and an answer that arrive together for one key. */
  const onBytes = (bytes: Buffer) => {
    const [first = "", ...others] = bytes.toString("latin1").split(answer)
    for (const part of [first, ...others]) if (part !== "") typed.write(part, "latin1")
    for (const _ of others) offer({ kind: "answered" })
  }
  const decoder = readline.createInterface({ input: new PassThrough(), escapeCodeTimeout: escapeMs })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      take()
      process.on("exit", give)
      process.prependListener("SIGHUP", giveAll)
      process.on("SIGCONT", onContinue)
      process.on("SIGTSTP", onStop)
      process.stdout.on("resize", onSize)
      if (!keyboard) return
      readline.emitKeypressEvents(typed, decoder)
      typed.on("keypress", onKey)
      process.stdin.on("data", onBytes)
      process.stdin.on("end", onGone)
      process.stdin.on("error", onGone)
      process.stdin.resume()
    }),
    () =>
      // Not raw(false), which waits until the terminal has read everything: Node resets the mode when it exits, without that.
      Effect.sync(() => {
        give()
        decoder.close()
        process.stdin.pause()
      })
  )
  return events
})

const write = (text: string) =>
  Effect.async<boolean>((resume) => {
    process.stdout.write(text, (error) => resume(Effect.succeed(error === null || error === undefined)))
  })

const lines = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<string | null>()
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const reader = readline.createInterface({ input: process.stdin, terminal: false })
      reader.on("line", (line) => queue.unsafeOffer(line))
      reader.on("close", () => queue.unsafeOffer(null))
      return reader
    }),
    (reader) => Effect.sync(() => reader.close())
  )
  return queue
})

export const layer = Layer.sync(FullScreen, () =>
  FullScreen.of({
    get able() {
      return process.stdout.isTTY === true && process.env.TERM !== "dumb"
    },
    get keyboard() {
      return process.stdin.isTTY === true
    },
    size: Effect.sync(() => (process.stdout.isTTY ? liveSize() : sizeNow())),
    open,
    write,
    suspend: Effect.sync(() => process.kill(process.pid, "SIGTSTP")),
    lines
  })
)
