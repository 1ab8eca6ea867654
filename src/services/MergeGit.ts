/** What merges and diffs need of git. Everything but `apply`, `finish`, `move` and `takeBack` leaves the user's files and branches as they are. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { MergeFailed } from "../domain/merge/MergeErrors.ts"
import type { CommitId, Workspace } from "../domain/workspace/Workspace.ts"

/** Where a branch is, and which work tree has it checked out. */
export interface BranchState {
  readonly commit: CommitId
  readonly tree: string | null
}

export interface ChangedFile {
  readonly path: string
  /** Null for a binary file. */
  readonly insertions: number | null
  readonly deletions: number | null
}

export type Fit =
  | { readonly _tag: "Fits"; readonly tree: CommitId }
  | { readonly _tag: "Conflicts"; readonly files: ReadonlyArray<string> }

/** The form of a diff, as options of `git diff`. */
export type DiffForm = "patch" | "stat" | "names"

/** A pull request to open. */
export interface PullRequest {
  readonly home: string
  /** The branch of the remote that holds the work. */
  readonly branch: string
  /** The branch that it will be merged into. */
  readonly base: string
  readonly title: string
  readonly body: string
}

export class MergeGit extends Context.Tag("backbeat/MergeGit")<
  MergeGit,
  {
    /** The top directory of the work tree, and the directory that all work trees of its repository share. */
    readonly place: (directory: string) => Effect.Effect<{ readonly top: string; readonly common: string }, MergeFailed>
    /** The branch that is checked out; null: none is. */
    readonly current: (tree: string) => Effect.Effect<string | null, MergeFailed>
    /** Null: there is no such branch. */
    readonly branch: (home: string, name: string) => Effect.Effect<BranchState | null, MergeFailed>
    /**
     * Merges two commits without a work tree. Where the base is a tree with the user's uncommitted files, or where the user has
     * rewritten all history since, the changes from the base to `theirs` are applied to `ours`.
     */
    readonly fit: (
      home: string,
      ours: CommitId,
      theirs: CommitId,
      cut: Pick<Workspace, "base" | "baseKind">
    ) => Effect.Effect<Fit, MergeFailed>
    readonly treeOf: (repository: string, commit: CommitId) => Effect.Effect<CommitId, MergeFailed>
    /** A commit as its user makes them. */
    readonly commit: (
      home: string,
      tree: CommitId,
      parents: ReadonlyArray<CommitId>,
      message: string
    ) => Effect.Effect<CommitId, MergeFailed>
    /** Gives a commit a name, or moves a branch that no tree has checked out: only from `from`, where it is given. */
    readonly move: (
      home: string,
      ref: string,
      to: CommitId,
      from: CommitId | null
    ) => Effect.Effect<boolean, MergeFailed>
    /** A commit of the work tree as it is, under a private name. `name` is that of its index: one that a killed call left behind is removed. */
    readonly record: (tree: string, ref: string, name: string) => Effect.Effect<void, MergeFailed>
    /**
     * What is in the place of files that `apply` would write, and in no commit: untracked and ignored files, or a link or file in the place
     * of a directory. Asked before the first change: what is at those paths afterwards was written by git.
     */
    readonly inTheWay: (tree: string, from: CommitId, to: CommitId) => Effect.Effect<ReadonlyArray<string>, MergeFailed>
    /**
     * Moves the checked-out branch and its files forward; the answer is why it could not, or null: the files are then as they were, which
     * `recorded` names. Refused where another branch is checked out by now, or this one is no longer at `from`.
     */
    readonly apply: (
      tree: string,
      branch: string,
      from: CommitId,
      to: CommitId,
      recorded: string
    ) => Effect.Effect<string | null, MergeFailed>
    /**
     * Removes what a git that was killed after `since` has left locked: index, HEAD, packed refs and these names. A git that works there is
     * waited for, up to ten seconds; what it has locked stays.
     */
    readonly unlock: (tree: string, refs: ReadonlyArray<string>, since: number) => Effect.Effect<void>
    /**
     * Ends an `apply` from `from` to `to` that was killed: first the files as they were at `from`, then forward again. Files that the user
     * has edited stay, and the branch with them; the answer is why it could not, or null.
     */
    readonly finish: (
      tree: string,
      branch: string,
      from: CommitId,
      to: CommitId
    ) => Effect.Effect<string | null, MergeFailed>
    /**
     * Moves the checked-out branch and its files back from `from` to `to`; the answer is why it could not, or null: all is as at `from`
     * then. What is staged or changed in other files stays. `again`: it was begun before, and killed.
     */
    readonly takeBack: (
      tree: string,
      branch: string,
      from: CommitId,
      to: CommitId,
      again: boolean
    ) => Effect.Effect<string | null, MergeFailed>
    /** Deletes private names. */
    readonly forget: (home: string, refs: ReadonlyArray<string>) => Effect.Effect<void>
    readonly changedFiles: (
      repository: string,
      from: CommitId,
      to: CommitId
    ) => Effect.Effect<ReadonlyArray<ChangedFile>, MergeFailed>
    /** Whether the repository has the commit. */
    readonly has: (repository: string, commit: CommitId) => Effect.Effect<boolean>
    /** As git prints it, without colors. What agents have written is in it as it is: a terminal must not get it so. */
    readonly diff: (
      repository: string,
      from: CommitId,
      to: CommitId,
      options: { readonly form: DiffForm; readonly columns: number | null }
    ) => Effect.Effect<string, MergeFailed>
    /** Shows a text on the terminal of this process, through the pager that the user has chosen for the diffs of this repository. */
    readonly page: (repository: string, text: string) => Effect.Effect<void, MergeFailed>
    /** Whether GitHub's `gh` can be started. */
    readonly hasGh: Effect.Effect<boolean>
    /** The remote that a branch follows, else `origin`, else the only one; null: none. */
    readonly remoteOf: (home: string, branch: string) => Effect.Effect<string | null, MergeFailed>
    /** Makes the branch of the remote this commit, without a branch here. */
    readonly push: (home: string, remote: string, branch: string, commit: CommitId) => Effect.Effect<void, MergeFailed>
    /** The address of the open pull request for the branch; there is one afterwards. */
    readonly openPullRequest: (request: PullRequest) => Effect.Effect<string, MergeFailed>
  }
>() {}
