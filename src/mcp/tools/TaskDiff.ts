/** What an isolated task has changed. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/task/Task.ts"
import { compareWork } from "../../programs/merges/compareWork.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { cutMiddle } from "../../text/Middle.ts"
import { Reference, whole } from "../fields/Fields.ts"
import { tool } from "../Tool.ts"

const mostFiles = 200

export const taskDiff = tool({
  name: "TaskDiff",
  title: "Changes of a task",
  description:
    "Show the files and the patch that an isolated task or a loop has changed, against where it began or another task's result.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: Reference,
    against: Schema.optional(Reference),
    maxBytes: Schema.optionalWith(whole(0, 100_000, "Of the patch (default: 20000)"), { default: () => 20_000 })
  }),
  output: Schema.Struct({
    taskId: TaskId,
    files: Schema.Array(
      Schema.Struct({
        path: Schema.String,
        insertions: Schema.NullOr(Schema.Int),
        deletions: Schema.NullOr(Schema.Int)
      })
    ),
    /** More files have changed than are listed. */
    more: Schema.Boolean,
    /** With the middle left out where it is longer than `maxBytes`. */
    patch: Schema.String
  }),
  example: { id: "k3v9x2m7q4ab", against: "x2m7q4abk3v9", maxBytes: 20_000 },
  handle: Effect.fn("TaskDiff")(function* ({ against, id, maxBytes }) {
    const git = yield* MergeGit
    const { from, repository, taskId, to } = yield* compareWork(id, Option.fromNullable(against))
    const files = yield* git.changedFiles(repository, from, to)
    const patch = yield* git.diff(repository, from, to, { form: "patch", color: false, columns: null })
    return {
      taskId,
      files: files.slice(0, mostFiles),
      more: files.length > mostFiles,
      patch: cutMiddle(patch, maxBytes)
    }
  })
})
