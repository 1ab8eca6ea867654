/** Brings the work of an isolated task into the branch that the caller works on. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/task/Task.ts"
import { workTask } from "../../programs/merges/compareWork.ts"
import { mergeTask as merge } from "../../programs/merges/mergeTask.ts"
import { abandoned } from "../../programs/merges/recoverMerge.ts"
import { retryWhileStorageFails } from "../../programs/retryWhileStorageFails.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { realDirectory } from "../../programs/workspaces/realDirectory.ts"
import { Directories } from "../../services/Directories.ts"
import { Merges } from "../../services/Merges.ts"
import { Reference } from "../fields/Fields.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"
import { requireShell } from "../withoutShell.ts"

type Change = Parameters<(typeof Merges.Service)["change"]>

/** Whether no step of the merge follows. A later record of a step in between would have it carried out by no process. */
const isLast = ({ owner, state }: Change[1]): boolean =>
  state === "merged" || state === "refused" || state === "undone" || owner?.startTime === abandoned

/**
 * A server lives on, so that no other process takes over its merge: the end of it that could not be stored is stored as soon as that
 * works again. Until then other merges into the repository are refused.
 */
const persistent = (merges: typeof Merges.Service) =>
  Merges.of({
    ...merges,
    change: (...change: Change) =>
      Effect.tapErrorTag(merges.change(...change), "StorageError", () =>
        isLast(change[1])
          ? Effect.forkDaemon(Effect.ignoreLogged(retryWhileStorageFails(merges.change(...change))))
          : Effect.void
      )
  })

export const mergeTask = tool({
  name: "MergeTask",
  title: "Merge a task",
  description:
    "Merge what an isolated task or a loop has changed into the checked-out branch, as one commit. With 'check', only if that shell command passes on the merged files. A conflict changes nothing.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: Reference,
    check: Schema.optional(Schema.NonEmptyString.annotations({ description: "e.g. 'npm test'" })),
    directory: Schema.optional(Schema.NonEmptyString),
    message: Schema.optional(Schema.NonEmptyString)
  }),
  output: Schema.Struct({
    taskId: TaskId,
    state: Schema.Literal("merged", "fits", "unchanged", "conflict", "refused"),
    branch: Schema.String,
    before: Schema.String,
    after: Schema.NullOr(Schema.String),
    conflicts: Schema.Array(Schema.String),
    reason: Schema.NullOr(Schema.String),
    checkTask: Schema.NullOr(TaskId)
  }),
  example: { id: "k3v9x2m7q4ab", check: "npm test", directory: "/home/me/project", message: "Fix the date test" },
  handle: Effect.fn("MergeTask")(function* (input, call) {
    const session = yield* Session
    const directories = yield* Directories
    const directory = yield* directories.resolve(input.directory ?? session.directory, session.directory)
    if (input.check !== undefined) {
      yield* requireShell("check")
      yield* session.serving
    }
    const { after, before, branch, checkTask, conflicts, reason, state, taskId } = yield* merge(
      yield* workTask(input.id),
      {
        directory: realDirectory(directory, session.environment),
        into: null,
        create: null,
        keepCommits: false,
        check: input.check ?? null,
        dryRun: false,
        message: input.message ?? null,
        submitter: submitterOf(session.environment)
      }
    ).pipe(
      Effect.updateService(Merges, persistent),
      withProgress(call, Effect.succeed(input.check === undefined ? "merging" : `testing: ${input.check}`))
    )
    return { taskId, state, branch, before, after, conflicts, reason, checkTask }
  })
})
