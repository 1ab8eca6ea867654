/** The workspace: a separate repository, cut from the user's, in which tasks work in turn. */
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "../task/Task.ts"
import { WorkspaceId } from "./WorkspaceId.ts"

/** The full name of a commit. */
export const CommitId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/),
  Schema.annotations({ identifier: "CommitId" })
)
export type CommitId = typeof CommitId.Type

/**
 * What the base of a workspace is: the commit that was checked out, the files as they were, a named revision, or a task's
 * result. `step`: the result of the pipeline step before, which is known when the task starts.
 */
export const BaseKind = Schema.Literal("head", "tree", "revision", "task", "step")
export type BaseKind = typeof BaseKind.Type

/** A workspace that a task asks for: `new` is stored with the task, `existing` is one that another task has. */
export const WorkspaceRequest = Schema.Union(
  Schema.Struct({
    kind: Schema.Literal("new"),
    id: WorkspaceId,
    /** The top directory of the repository that it is cut from, absolute and without links. */
    home: Schema.NonEmptyString,
    /** Where the task works in it, relative to the top; empty is the top. */
    subdirectory: Schema.String,
    base: CommitId,
    baseKind: BaseKind,
    /** Its top directory, absolute. */
    path: Schema.NonEmptyString
  }),
  Schema.Struct({
    kind: Schema.Literal("existing"),
    id: WorkspaceId,
    /** The commit that the workspace is set to before the task starts; null leaves it as it is. */
    startCommit: Schema.NullOr(CommitId)
  })
).annotations({ identifier: "WorkspaceRequest" })
export type WorkspaceRequest = typeof WorkspaceRequest.Type

/**
 * `planned`: it is cut when its first task starts. `reclaiming`: it is on its way to the trash. `trashed`: it can be restored
 * with all of its files. `gone`: what its tasks left is in their seals alone.
 */
export const WorkspaceState = Schema.Literal("planned", "ready", "reclaiming", "trashed", "gone")
export type WorkspaceState = typeof WorkspaceState.Type

export const Workspace = Schema.Struct({
  id: WorkspaceId,
  /** The top directory of the repository that it was cut from. */
  home: Schema.NonEmptyString,
  subdirectory: Schema.String,
  base: CommitId,
  baseKind: BaseKind,
  /** Its top directory. */
  path: Schema.NonEmptyString,
  /** The smallest free number among the workspaces that exist: for ports and names of databases. */
  slot: Schema.NullOr(Schema.Int),
  state: WorkspaceState,
  /** Whether its last agent saw it at the path of the repository; null: no agent has started in it. */
  mounted: Schema.NullOr(Schema.Boolean),
  /** The user wants it to stay. */
  kept: Schema.Boolean,
  /** The newest commit that holds what its tasks left. */
  lastSeal: Schema.NullOr(CommitId),
  lastSealedAt: Schema.NullOr(Timestamp),
  /** Why it could not be sealed or reclaimed. */
  problem: Schema.NullOr(Schema.String),
  /** Where its files are in the trash. */
  trashPath: Schema.NullOr(Schema.String),
  createdAt: Timestamp,
  /** When a task in it was claimed or ended last, or when its state changed. */
  usedAt: Timestamp
}).annotations({ identifier: "Workspace" })
export type Workspace = typeof Workspace.Type

/** What one task left in its workspace. */
export const WorkResult = Schema.Struct({
  taskId: TaskId,
  workspaceId: WorkspaceId,
  /** The commit that its workspace was cut from. */
  base: CommitId,
  /** Everything it left, committed by it or not. */
  commit: CommitId,
  tree: CommitId,
  /** Against the base of the workspace. */
  files: Schema.Int,
  insertions: Schema.Int,
  deletions: Schema.Int,
  /** Commits that the agent made. */
  commits: Schema.Int,
  /** Repositories inside the workspace whose contents are in no seal, at most 20. */
  nested: Schema.Array(Schema.String),
  /** Whether the commit is in the home repository, not in the workspace alone. */
  home: Schema.Boolean,
  /** Why it is not there, or which files of the workspace it does not have. */
  problem: Schema.NullOr(Schema.String),
  sealedAt: Timestamp
}).annotations({ identifier: "WorkResult" })
export type WorkResult = typeof WorkResult.Type

/** The private names of commits in the home repository. `git push` sends none of them, and `git branch` shows none. */
export const sealRef = (task: TaskId): string => `refs/backbeat/task/${task}`
export const baseRef = (workspace: WorkspaceId): string => `refs/backbeat/ws/${workspace}/base`
export const lateRef = (workspace: WorkspaceId): string => `refs/backbeat/ws/${workspace}/late`

/** The branch that a workspace has checked out. */
export const branchOf = (workspace: WorkspaceId): string => `beat/${workspace}`
