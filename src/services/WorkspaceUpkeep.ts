/** What a worker has to do about workspaces: which may be reclaimed, measured or deleted. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { Workspace } from "../domain/workspace/Workspace.ts"
import type { WorkspaceId } from "../domain/workspace/WorkspaceId.ts"

export class WorkspaceUpkeep extends Context.Tag("backbeat/WorkspaceUpkeep")<
  WorkspaceUpkeep,
  {
    /**
     * Workspaces that no task needs and that were last used before `before`, the oldest first; and those whose reclaim began
     * before `abandoned`.
     */
    readonly idle: (
      before: number,
      abandoned: number,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Its bytes on disk, as they were counted; null leaves what was counted before. */
    readonly measured: (id: WorkspaceId, bytes: number | null) => Effect.Effect<void, StorageError>
    /** Workspaces in their place that were not measured since a task used them. */
    readonly unmeasured: (limit: number) => Effect.Effect<ReadonlyArray<Pick<Workspace, "id" | "path">>, StorageError>
    /** Workspaces whose reclaim began before `before` and has not ended, and that a queued task waits for. */
    readonly interrupted: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Workspaces that went to the trash before `before`, the oldest first. */
    readonly trash: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Workspace>, StorageError>
  }
>() {}
