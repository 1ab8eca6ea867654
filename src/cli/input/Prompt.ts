/** Where the prompt comes from: the command line, a pipe, or both. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { maxPromptBytes } from "../../domain/task/Task.ts"
import { Terminal } from "../framework/Terminal.ts"
import { UsageError } from "../framework/UsageError.ts"

/** Several commands read a prompt: the advice names none of them. */
const hintFor = (what: string) => `Write the ${what} in quotes, or - to pipe it in.`

/** The prompt on the command line, and the text that is piped in with it; null if there is none. */
export interface Given {
  readonly prompt: string
  readonly piped: string | null
}

/** The text of these bytes, or the error in the place of text that is not UTF-8. */
export const decodeText = (bytes: Uint8Array, problem: string, hint: string | null) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new UsageError({ problem, hint })
  })

const textOf = Effect.fn("Prompt.text")(function* (bytes: Uint8Array) {
  if (bytes.length <= maxPromptBytes)
    return yield* decodeText(
      bytes,
      "The text from the pipe is not UTF-8",
      "Convert it (iconv -t utf-8), or name the file in the prompt."
    )
  return yield* new UsageError({
    problem: `The text from the pipe is larger than ${maxPromptBytes / 1024 ** 2} MB`,
    hint: "Put the text into a file and name the file in the prompt."
  })
})

const all = Effect.fn("Prompt.stdin")(function* () {
  const terminal = yield* Terminal
  return yield* textOf(yield* terminal.stdinBytes(maxPromptBytes))
})

/** All of stdin as text. */
export const readText = all

/** The longest value of a setting, in bytes. */
const maxValueBytes = 65_536

/** The value of a setting that is given as `-`: all of stdin, without spaces around it. */
export const readValue = Effect.fn("Prompt.value")(function* (field: string) {
  const terminal = yield* Terminal
  const bytes = yield* terminal.stdinBytes(maxValueBytes)
  if (bytes.length > maxValueBytes) {
    return yield* new UsageError({
      problem: `The value of ${field} on stdin is larger than ${maxValueBytes / 1024} kB`,
      hint: "Send the value alone, e.g. with < file."
    })
  }
  const text = yield* decodeText(bytes, `The value of ${field} on stdin is not UTF-8`, "Convert it (iconv -t utf-8).")
  return text.trim()
})

const orNone = (text: string): string | null => (text.trim() === "" ? null : text)

/**
 * Piped input for a prompt: with `-` all of stdin; without it only input that no other process reads, so that a
 * `while read` loop keeps its lines.
 */
export const readPiped = Effect.fn("readPiped")(function* (asked: boolean) {
  const terminal = yield* Terminal
  if (asked) return orNone(yield* all())
  const reading = yield* Effect.fork(terminal.piped(maxPromptBytes))
  const early = yield* Effect.timeoutOption(Fiber.join(reading), "4 seconds")
  if (Option.isNone(early)) yield* terminal.say("beat: waiting for the end of stdin, which is appended to the prompt")
  const piped = yield* Fiber.join(reading)
  switch (piped._tag) {
    case "Nothing":
      return null
    case "Unread":
      yield* terminal.say("beat: stdin is not added to the prompt; '-' after the prompt adds it")
      return null
    case "Bytes":
      return orNone(yield* textOf(piped.bytes))
  }
})

/** One text: `word`; or all of stdin, unchanged, for `-` or without a word. `what` it is called in errors. */
export const readPrompt = Effect.fn("readPrompt")(function* (word: string | undefined, what = "prompt") {
  const terminal = yield* Terminal
  const hint = hintFor(what)
  if (word !== undefined && word !== "-") {
    if (word.trim() === "") return yield* new UsageError({ problem: `The ${what} is empty`, hint })
    return word
  }
  if (word === undefined && terminal.stdinTty) return yield* new UsageError({ problem: `No ${what} was given`, hint })
  const prompt = yield* all()
  if (prompt.trim() === "")
    return yield* new UsageError({ problem: `The ${what} is empty: nothing came on stdin`, hint })
  return prompt
})

/** `words` are the positional arguments: none or `-`, a prompt, or a prompt and `-`. */
export const readGiven = Effect.fn("readGiven")(function* (words: ReadonlyArray<string>) {
  const [first, second] = words
  if (second !== undefined && first !== "-" && second !== "-") {
    return yield* new UsageError({ problem: `Unexpected extra argument: '${second}'`, hint: hintFor("prompt") })
  }
  const word = first === "-" ? (second ?? first) : first
  const prompt = yield* readPrompt(word)
  const alone = word === undefined || word === "-"
  const given: Given = { prompt, piped: alone ? null : yield* readPiped(second !== undefined) }
  return given
})
