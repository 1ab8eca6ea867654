/** What happened, in order: the record that scripts, hooks and screens read by a cursor. Triggers write it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { Notice, NoticeBounds } from "../domain/events/Notice.ts"

export class Notices extends Context.Tag("backbeat/Notices")<
  Notices,
  {
    /** Notices with a number above `after`, oldest first, at most `limit`. */
    readonly after: (after: number, limit: number) => Effect.Effect<ReadonlyArray<Notice>, StorageError>
    readonly bounds: Effect.Effect<NoticeBounds, StorageError>
  }
>() {}
