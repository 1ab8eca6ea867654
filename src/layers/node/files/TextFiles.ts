/** Text files of the file system. Not `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../../../domain/Errors.ts"
import { TextFiles } from "../../../services/TextFiles.ts"
import { expandHome } from "./UserHome.ts"

const readFile = (file: string, limit: number): string => {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new Error("there is no such file")
  // A pipe (`<(...)` of a shell) has no size.
  if (found.isDirectory()) throw new Error("it is a directory")
  if (found.size > limit) throw new Error(`it is larger than ${limit / 1024 ** 2} MB`)
  return new TextDecoder("utf-8", { fatal: true }).decode(fs.readFileSync(file))
}

const reasonOf = (error: unknown): string => {
  if (error instanceof TypeError) return "it is not UTF-8 text"
  return error instanceof Error ? error.message : String(error)
}

export const layer = Layer.succeed(
  TextFiles,
  TextFiles.of({
    read: (given, base, limit) =>
      Effect.try({
        try: () => readFile(path.resolve(base, expandHome(given)), limit),
        catch: (error) => new InvalidInput({ field: given, problem: reasonOf(error), example: null })
      }).pipe(Effect.withSpan("TextFiles.read"))
  })
)
