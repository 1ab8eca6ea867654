/** The merge: the work of a task on its way into a branch of the user, on record from before the first change. */
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "../task/Task.ts"
import { ProcessIdentity } from "../worker/Process.ts"
import { CommitId } from "../workspace/Workspace.ts"

/** Formed as a task's id is; each is looked up among its own kind. */
export const MergeId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, e.g. g5t7w2d9m4xk" }),
  Schema.brand("MergeId"),
  Schema.annotations({ identifier: "MergeId" })
)
export type MergeId = typeof MergeId.Type

/**
 * `testing`: its command runs, and nothing has changed. `applying`: the branch and its files change; a process that dies
 * here leaves it to the next one. `proposing`: it is on its way to a pull request, which calls continue. `proposed`: the pull request
 * is open. `merged`: the branch is at `merged`. `undoing`: the branch and its files change back; a process that dies here leaves it to
 * the next one. `refused`: nothing has changed, for `reason`.
 */
const MergeState = Schema.Literal(
  "testing",
  "applying",
  "proposing",
  "proposed",
  "merged",
  "undoing",
  "conflict",
  "refused",
  "undone"
)

export const Merge = Schema.Struct({
  id: MergeId,
  taskId: TaskId,
  /** The top directory of the repository. */
  home: Schema.NonEmptyString,
  /** The branch, as in `main`. */
  branch: Schema.NonEmptyString,
  /** The work tree that has the branch checked out; null: none has. */
  tree: Schema.NullOr(Schema.String),
  /** The commit of the branch before. */
  before: CommitId,
  /** The commit that holds both; null where they do not fit together. */
  merged: Schema.NullOr(CommitId),
  state: MergeState,
  /** The task that tested it. */
  checkTask: Schema.NullOr(TaskId),
  /** Files that both have changed, where they do not fit together; at most 100. */
  conflicts: Schema.Array(Schema.String),
  /** Why it was refused. */
  reason: Schema.NullOr(Schema.String),
  /** The address of the pull request, once it is open. */
  url: Schema.NullOr(Schema.String),
  /** The process that carries it out. */
  owner: ProcessIdentity,
  createdAt: Timestamp,
  /** When its state changed last. */
  changedAt: Timestamp
}).annotations({ identifier: "Merge" })
export type Merge = typeof Merge.Type

/**
 * Private names in the repository: the commit, the files of the work tree as they were before the merge, what a kill left half written,
 * and the files as they were before the undo.
 */
export const mergeRef = (id: MergeId): string => `refs/backbeat/merge/${id}`
export const beforeRef = (id: MergeId): string => `refs/backbeat/merge/${id}.before`
export const tornRef = (id: MergeId): string => `refs/backbeat/merge/${id}.torn`
export const undoRef = (id: MergeId): string => `refs/backbeat/merge/${id}.undo`
