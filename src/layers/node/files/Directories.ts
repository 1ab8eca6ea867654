/** Directories as the file system shows them. Not `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../../../domain/Errors.ts"
import { Directories } from "../../../services/Directories.ts"
import { expandHome } from "./UserHome.ts"

const problemWith = (directory: string, current: string): string | null => {
  try {
    const found = fs.statSync(directory, { throwIfNoEntry: false })
    if (found === undefined) {
      return directory === path.resolve(current)
        ? "the current directory was removed"
        : `there is no directory ${directory}`
    }
    return found.isDirectory() ? null : `${directory} is not a directory`
  } catch (error) {
    return `${directory} cannot be read (${error instanceof Error ? error.message : String(error)})`
  }
}

export const layer = Layer.succeed(
  Directories,
  Directories.of({
    resolve: Effect.fn("Directories.resolve")(function* (given, base) {
      // Kept as written otherwise: links are not resolved, for a project reached by a link is meant by that name.
      const directory = path.resolve(base, expandHome(given))
      const problem = problemWith(directory, base)
      if (problem !== null) return yield* new InvalidInput({ field: "directory", problem, example: "-C ~/project" })
      return directory
    })
  })
)
