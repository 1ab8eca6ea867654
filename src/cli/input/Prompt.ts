/** Where the prompt comes from: the command line, or a pipe. */
import * as Effect from "effect/Effect"
import { maxPromptBytes } from "../../domain/task/Task.ts"
import { Terminal } from "../framework/Terminal.ts"
import { UsageError } from "../framework/UsageError.ts"

const hint = 'Write it in quotes: beat run "fix the failing test"; or pipe it: beat run - < prompt.md'

const decode = (bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () =>
      new UsageError({
        problem: "The prompt from the pipe is not UTF-8 text",
        hint: "Convert it (iconv -t utf-8), or name the file in the prompt."
      })
  })

/** `word` is the positional argument; without one, and for `-`, all of stdin is the prompt, exactly as it is. */
export const readPrompt = Effect.fn("readPrompt")(function* (word: string | undefined) {
  const terminal = yield* Terminal
  if (word !== undefined && word !== "-") {
    if (word.trim() === "") return yield* new UsageError({ problem: "The prompt is empty", hint })
    return word
  }
  if (word === undefined && terminal.stdinTty) return yield* new UsageError({ problem: "There is no prompt", hint })
  const bytes = yield* terminal.stdinBytes(maxPromptBytes)
  if (bytes.length > maxPromptBytes) {
    return yield* new UsageError({
      problem: `The prompt is larger than ${maxPromptBytes / 1024 ** 2} MB`,
      hint: "Put the text into a file and name the file in the prompt."
    })
  }
  const prompt = yield* decode(bytes)
  if (prompt.trim() === "")
    return yield* new UsageError({ problem: "The prompt is empty: nothing came on stdin", hint })
  return prompt
})
