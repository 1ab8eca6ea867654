/** What only a worker does with the records of workspaces: it gives them to tasks, stores what those left, and tidies up. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { CommitId, WorkResult, Workspace } from "../domain/workspace/Workspace.ts"
import type { WorkspaceId } from "../domain/workspace/WorkspaceId.ts"

export class WorkerWorkspaces extends Context.Tag("backbeat/WorkerWorkspaces")<
  WorkerWorkspaces,
  {
    /** The files are in place, and the agent sees them at the path of the repository (`mounted`) or at their own. */
    readonly ready: (id: WorkspaceId, mounted: boolean) => Effect.Effect<void, StorageError>
    /** Moves the base of one that is not cut yet. */
    readonly rebase: (id: WorkspaceId, base: CommitId) => Effect.Effect<void, StorageError>
    /** Stores what a task left; the same task again replaces it. */
    readonly sealed: (result: WorkResult) => Effect.Effect<void, StorageError>
    /** Why it could not be sealed. It is not reclaimed until it was. */
    readonly troubled: (id: WorkspaceId, problem: string) => Effect.Effect<void, StorageError>
    /** Workspaces that no task needs and that were last used before `before`, the oldest first. */
    readonly idle: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Its bytes on disk, as they were counted; null leaves what was counted before. */
    readonly measured: (id: WorkspaceId, bytes: number | null) => Effect.Effect<void, StorageError>
    /** Workspaces in their place that were not measured since a task used them. */
    readonly unmeasured: (limit: number) => Effect.Effect<ReadonlyArray<Pick<Workspace, "id" | "path">>, StorageError>
    /** Workspaces whose reclaim has begun and not ended, the oldest first. */
    readonly unfinished: (limit: number) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Workspaces that went to the trash before `before` and that the user does not keep, the oldest first. */
    readonly trash: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
  }
>() {}
