/** The files of workspaces, by git: cut from the user's repository, sealed into it, and compared. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CommitId, Workspace } from "../domain/workspace/Workspace.ts"
import type { NotIsolable, WorkspaceFailed } from "../domain/workspace/WorkspaceErrors.ts"
import type { WorkspaceId } from "../domain/workspace/WorkspaceId.ts"

/** The repository around a directory. */
export interface HomeState {
  /** Its top directory, absolute and without links. */
  readonly home: string
  /** The directory, relative to the top; empty is the top. */
  readonly subdirectory: string
  readonly head: CommitId
  /** Files that differ from the commit, untracked ones included. */
  readonly dirty: number
}

export interface SealRequest {
  readonly workspace: Workspace
  /** The private name that the commit gets in the home. */
  readonly ref: string
  /** The message of the commit. */
  readonly message: string
  /** Fixes the date of the commit, so that a seal taken again is the same commit. Milliseconds. */
  readonly at: number
  /** Names the temporary index. */
  readonly claimId: string
}

export interface Seal {
  readonly commit: CommitId
  readonly tree: CommitId
  readonly files: number
  readonly insertions: number
  readonly deletions: number
  readonly commits: number
  readonly nested: ReadonlyArray<string>
  /** Whether the home repository has it. */
  readonly home: boolean
  /** Why it has not, or which files of the workspace are not in the commit. */
  readonly problem: string | null
}

/** Every call has a bound on its time. None runs a hook of the user's, or writes to the work tree, index or refs of the home. */
export class WorkspaceGit extends Context.Tag("backbeat/WorkspaceGit")<
  WorkspaceGit,
  {
    readonly inspect: (directory: string) => Effect.Effect<HomeState, NotIsolable>
    /** The commit that a revision names in the repository. */
    readonly revision: (home: string, name: string) => Effect.Effect<CommitId, NotIsolable>
    /** A commit of the user's files as they are, untracked ones included. The user's repository does not change. */
    readonly snapshot: (home: string, claimId: string) => Effect.Effect<CommitId, NotIsolable>
    /** Keeps a commit from being collected, under `refs/backbeat/`. */
    readonly pin: (home: string, ref: string, commit: CommitId) => Effect.Effect<void, NotIsolable>
    /** Takes the private name away. */
    readonly unpin: (home: string, ref: string) => Effect.Effect<void>
    /** Makes the repository and its files, at `commit`. Where it exists, it is left as it is. */
    readonly cut: (
      workspace: Workspace,
      commit: CommitId,
      claimId: string,
      include: ReadonlyArray<string>
    ) => Effect.Effect<void, WorkspaceFailed>
    /** Sets branch and files to a commit, which is fetched from the home if need be. Ignored files stay. */
    readonly startAt: (workspace: Workspace, commit: CommitId) => Effect.Effect<void, WorkspaceFailed>
    /** The commit that is checked out. */
    readonly head: (workspace: Workspace) => Effect.Effect<CommitId, WorkspaceFailed>
    /** Commits all that is in the workspace, without touching its index, and brings the commit home. */
    readonly seal: (request: SealRequest) => Effect.Effect<Seal, WorkspaceFailed>
    /**
     * The tree of the files that are there now. A seal stores the same one, and also the files that a sparse checkout of the
     * agent leaves out. `claimId` names the temporary index.
     */
    readonly tree: (workspace: Workspace, claimId: string) => Effect.Effect<CommitId, WorkspaceFailed>
    /** The files that match and differ between two commits, at most 1000. */
    readonly changed: (
      repository: string,
      from: CommitId,
      to: CommitId,
      pathspecs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, WorkspaceFailed>
    /** Those of the paths that are files in a commit. */
    readonly files: (
      repository: string,
      commit: CommitId,
      paths: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, WorkspaceFailed>
    /** Repositories in the workspace that hold what no seal has. */
    readonly unsealed: (workspace: Workspace) => Effect.Effect<ReadonlyArray<string>, WorkspaceFailed>
    /** Whether the directory is a whole workspace of this id. */
    readonly isWhole: (workspace: Workspace) => Effect.Effect<boolean>
    /** Commands that work in it, as far as the system shows, at most 10. */
    readonly users: (workspace: Workspace) => Effect.Effect<ReadonlyArray<string>>
    /** Whether anything is at its path. */
    readonly exists: (workspace: Workspace) => Effect.Effect<boolean>
    /** Where its files are in the trash; null: they are not. */
    readonly trashOf: (workspace: Workspace) => Effect.Effect<string | null>
    /** Renames it into the trash; returns where it is then. */
    readonly discard: (workspace: Workspace) => Effect.Effect<string, WorkspaceFailed>
    /** Renames it back from the trash. */
    readonly retrieve: (workspace: Workspace) => Effect.Effect<void, WorkspaceFailed>
    /** Directories of workspaces in their place, whole or not, at most 10,000: when something was made or removed in one last. */
    readonly placed: Effect.Effect<ReadonlyArray<{ readonly id: WorkspaceId; readonly changedAt: number }>>
    /** What is in the trash, each with the id of its workspace, at most 10,000. */
    readonly trashed: Effect.Effect<ReadonlyArray<{ readonly id: WorkspaceId; readonly path: string }>>
    /** Deletes what is in the trash. What was retrieved meanwhile stays. */
    readonly erase: (trashPath: string) => Effect.Effect<void, WorkspaceFailed>
    /** Bytes on disk; null where they cannot be counted in this many milliseconds (default: 5000). */
    readonly size: (path: string, patienceMs?: number) => Effect.Effect<number | null>
    /** Removes what killed cuts of this workspace left, and its directory where nothing else is in it. */
    readonly sweep: (id: WorkspaceId, path: string) => Effect.Effect<void>
  }
>() {}
