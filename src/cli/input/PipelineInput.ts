/** Where a pipeline or a loop comes from: a file, or a pipe. */
import * as Effect from "effect/Effect"
import { maxFileBytes } from "../../domain/pipeline/FileFields.ts"
import { Directories } from "../../services/Directories.ts"
import { TextFiles } from "../../services/TextFiles.ts"
import { Caller } from "../framework/Caller.ts"
import { Terminal } from "../framework/Terminal.ts"
import { decodeText } from "./Prompt.ts"

// The parser of files is loaded only here: no other command needs it.
const reader = Effect.promise(() => import("../../programs/pipelines/readPipeline.ts"))
type LoopReader = typeof import("../../programs/loops/loopPlan.ts")
const loopReader = Effect.promise(() => import("../../programs/loops/loopPlan.ts"))

/** `release` for `ci/release.yaml`. */
const nameOf = (path: string): string => {
  const file = path.split(/[\\/]/).at(-1) ?? path
  return file.replace(/\.(ya?ml|json)$/i, "").slice(0, 200) || "pipeline"
}

/** The text of a file and what errors call it; `-` is stdin. */
const textOf = Effect.fn("textOfFile")(function* (path: string, variables: Readonly<Record<string, string>>) {
  const terminal = yield* Terminal
  const caller = yield* Caller
  const files = yield* TextFiles
  const piped = path === "-"
  const text = piped
    ? yield* decodeText(yield* terminal.stdinBytes(maxFileBytes), "The text from stdin is not UTF-8", null)
    : yield* files.read(path, caller.directory, maxFileBytes)
  const options = { source: piped ? "stdin" : path, name: piped ? "stdin" : nameOf(path), variables }
  return { text, options }
})

/** The plan in a file; `-` is stdin. */
export const planFromFile = Effect.fn("planFromFile")(function* (
  path: string,
  variables: Readonly<Record<string, string>>
) {
  const { readPipeline } = yield* reader
  const { options, text } = yield* textOf(path, variables)
  return yield* readPipeline(text, options)
})

/** The loop in a file; `-` is stdin. */
export const loopFromFile = Effect.fn("loopFromFile")(function* (
  path: string,
  variables: Readonly<Record<string, string>>
) {
  const { readLoop } = yield* loopReader
  const caller = yield* Caller
  const directories = yield* Directories
  const { options, text } = yield* textOf(path, variables)
  const draft = yield* readLoop(text, options)
  const { directory } = draft.defaults
  const resolved = directory === null ? null : yield* directories.resolve(directory, caller.directory)
  return { ...draft, defaults: { ...draft.defaults, directory: resolved } }
})

/** What the draft of a file and the options of a command say together. */
export const planOfLoop: LoopReader["loopPlan"] = (...given) =>
  Effect.flatMap(loopReader, ({ loopPlan }) => loopPlan(...given))
