/** The directories that tasks work in. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { InvalidInput } from "../domain/Errors.ts"

export class Directories extends Context.Tag("backbeat/Directories")<
  Directories,
  {
    /** The absolute path of a directory that exists; a relative one is taken from `base`, a leading `~` is the home. */
    readonly resolve: (path: string, base: string) => Effect.Effect<string, InvalidInput>
  }
>() {}
