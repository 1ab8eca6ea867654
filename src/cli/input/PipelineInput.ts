/** Where a pipeline comes from: a file, a pipe, or prompts on the command line. */
import * as Effect from "effect/Effect"
import { TextFiles } from "../../services/TextFiles.ts"
import { Caller } from "../framework/Caller.ts"
import { Terminal } from "../framework/Terminal.ts"
import { UsageError } from "../framework/UsageError.ts"

// The parser of pipeline files is loaded only here: no other command needs it.
const reader = Effect.promise(() => import("../../programs/pipelines/readPipeline.ts"))

/** `release` for `ci/release.yaml`. */
const nameOf = (path: string): string => {
  const file = path.split(/[\\/]/).at(-1) ?? path
  return file.replace(/\.(ya?ml|json)$/i, "").slice(0, 200) || "pipeline"
}

const decode = (bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new UsageError({ problem: "The text from stdin is not UTF-8", hint: null })
  })

/** The plan in a file; `-` is stdin. */
export const planFromFile = Effect.fn("planFromFile")(function* (
  path: string,
  variables: Readonly<Record<string, string>>
) {
  const terminal = yield* Terminal
  const caller = yield* Caller
  const files = yield* TextFiles
  const { maxFileBytes, readPipeline } = yield* reader
  const piped = path === "-"
  const text = piped
    ? yield* decode(yield* terminal.stdinBytes(maxFileBytes))
    : yield* files.read(path, caller.directory, maxFileBytes)
  return yield* readPipeline(text, { source: piped ? "stdin" : path, name: piped ? "stdin" : nameOf(path), variables })
})
