/** The records of workspaces and of what tasks left in them. The files are the matter of `WorkspaceGit`. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ContestId } from "../domain/contest/Contest.ts"
import type { StorageError } from "../domain/Errors.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { ProcessIdentity } from "../domain/worker/Process.ts"
import type { CommitId, WorkResult, Workspace, WorkspaceState } from "../domain/workspace/Workspace.ts"
import type { WorkspaceBusy, WorkspaceNotFound } from "../domain/workspace/WorkspaceErrors.ts"
import type { WorkspaceId } from "../domain/workspace/WorkspaceId.ts"

/** The workspace of a task, the commit that it is set to before the task starts, and the contest of the task. */
interface TaskWorkspace {
  readonly workspace: Workspace
  readonly startCommit: CommitId | null
  readonly contestId: ContestId | null
  /** What the task hands on, where it is the choice of a contest; a commit of null: no candidate is kept. */
  readonly choice: { readonly winner: number | null; readonly commit: CommitId | null } | null
}

/** A workspace with the newest task in it. */
export interface WorkspaceEntry {
  readonly workspace: Workspace
  readonly taskId: TaskId | null
  readonly title: string | null
  /** Whether a task in it runs. */
  readonly working: boolean
}

/** Applies to the record as it was read: false, and nothing is changed, where it has changed since. */
type Change = Effect.Effect<boolean, StorageError>

export class Workspaces extends Context.Tag("backbeat/Workspaces")<
  Workspaces,
  {
    readonly ofTask: (id: TaskId) => Effect.Effect<Option.Option<TaskWorkspace>, StorageError>
    readonly get: (id: WorkspaceId) => Effect.Effect<Workspace, WorkspaceNotFound | StorageError>
    /** The id of a workspace or of a task in one, a unique prefix of one of them, or `@last`: that of the newest task. */
    readonly resolve: (reference: string) => Effect.Effect<WorkspaceId, WorkspaceNotFound | StorageError>
    /** Newest first. Empty `state` means any. */
    readonly list: (filter: {
      readonly state: ReadonlyArray<WorkspaceState>
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<WorkspaceEntry>, StorageError>
    readonly result: (id: TaskId) => Effect.Effect<Option.Option<WorkResult>, StorageError>
    /** One task of each submitter that has put tasks into it. */
    readonly submitted: (id: WorkspaceId) => Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    readonly keep: (id: WorkspaceId, kept: boolean) => Effect.Effect<void, StorageError>
    /** What the workspaces in their place hold, without the trash: as far as they were measured. */
    readonly held: Effect.Effect<{ readonly bytes: number; readonly count: number }, StorageError>
    /** The state of the workspace of a task, and the task that works in it now; null: it has none. */
    readonly waitOf: (
      id: TaskId
    ) => Effect.Effect<{ readonly state: WorkspaceState; readonly by: TaskId | null } | null, StorageError>
    /** The workspaces in which a task works now, with the task. */
    readonly working: Effect.Effect<ReadonlyMap<WorkspaceId, TaskId>, StorageError>
    /** The process that reclaims it, and since when. */
    readonly reclaimer: (
      id: WorkspaceId
    ) => Effect.Effect<Option.Option<{ readonly reclaimer: ProcessIdentity; readonly since: number }>, StorageError>
    /**
     * `planned` or `ready` becomes `reclaiming` by a process, unless the user keeps it or a task in it waits or runs. A reclaim that `from`
     * has begun and not ended is taken over: that process must be dead, since it may rename the files at any moment.
     */
    readonly reclaiming: (
      id: WorkspaceId,
      by: ProcessIdentity,
      from: ProcessIdentity | null
    ) => Effect.Effect<Workspace, WorkspaceBusy | WorkspaceNotFound | StorageError>
    /**
     * Its files are in the trash. `late` has what was changed after its last task, and is its newest commit then. Where a task
     * that came meanwhile waits for it, it is `planned`.
     */
    readonly trashed: (workspace: Workspace, trashPath: string, late: CommitId | null) => Change
    /** It stays where it is, for this reason. */
    readonly returned: (workspace: Workspace, problem: string) => Change
    /** Its files are deleted, or about to be. Where a task waits for it, it is `planned`. */
    readonly gone: (workspace: Workspace) => Change
    /** `trashed` or `gone` becomes `ready`, since the files are back in place; with a new slot. */
    readonly restored: (workspace: Workspace) => Change
  }
>() {}
