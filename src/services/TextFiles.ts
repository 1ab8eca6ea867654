/** Texts that people hand over in files. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { InvalidInput } from "../domain/Errors.ts"

export class TextFiles extends Context.Tag("backbeat/TextFiles")<
  TextFiles,
  {
    /** The whole file as UTF-8, at most `limit` bytes; a relative path is taken from `base`, a leading `~` is the home. */
    readonly read: (path: string, base: string, limit: number) => Effect.Effect<string, InvalidInput>
  }
>() {}
