/** What work has changed, as a list of files and a patch, both bounded: for readers other than a terminal. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/task/Task.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { cutMiddle } from "../../text/Middle.ts"
import { compareWork } from "./compareWork.ts"

export const WorkChanges = Schema.Struct({
  taskId: TaskId,
  files: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      /** Null for a binary file. */
      insertions: Schema.NullOr(Schema.Int),
      deletions: Schema.NullOr(Schema.Int)
    })
  ),
  /** More files have changed than are listed. */
  more: Schema.Boolean,
  /** A unified diff, with its middle left out where it is longer than the reader takes. */
  patch: Schema.String
})

/** `against`: other work; without it, what the work began at. `bytes`: of the patch. */
export const workChanges = Effect.fn("workChanges")(function* (
  reference: string,
  against: string | undefined,
  most: { readonly files: number; readonly bytes: number }
) {
  const git = yield* MergeGit
  const { from, repository, taskId, to } = yield* compareWork(reference, Option.fromNullable(against))
  const files = yield* git.changedFiles(repository, from, to)
  // A patch may be too long to be read at all: who wants none gets the files all the same.
  const patch = most.bytes === 0 ? "" : yield* git.diff(repository, from, to, { form: "patch", columns: null })
  const found: typeof WorkChanges.Type = {
    taskId,
    files: files.slice(0, most.files),
    more: files.length > most.files,
    patch: cutMiddle(patch, most.bytes)
  }
  return found
})
