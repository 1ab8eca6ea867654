/** Brings a reclaimed workspace back: from the trash with all of its files, else from its newest seal. */
import * as Effect from "effect/Effect"
import { WorkspaceBusy } from "../../domain/workspace/WorkspaceErrors.ts"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"

/** The record changes under a restore only when another process reclaims or restores it, or empties the trash. */
const mostAttempts = 5

/** Returns the workspace. A kill in the middle leaves it in the trash or in its place. */
export const restoreWorkspace = Effect.fn("restoreWorkspace")(function* (id: WorkspaceId) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const { workspaceInclude } = yield* (yield* SettingsStore).get
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    const workspace = yield* workspaces.get(id)
    // Another process has ended this restore.
    if (attempt > 1 && workspace.state === "ready") return workspace
    if (workspace.state !== "trashed" && workspace.state !== "gone") {
      return yield* new WorkspaceBusy({ id, reason: "it was not reclaimed" })
    }
    if (!(yield* git.isWhole(workspace))) {
      const inTrash = workspace.state === "trashed" && (yield* git.trashOf(workspace)) !== null
      // The trash may be emptied at this moment.
      const isBack = inTrash && (yield* Effect.isSuccess(git.retrieve(workspace)))
      if (!isBack) yield* git.cut(workspace, workspace.lastSeal ?? workspace.base, `restore-${id}`, workspaceInclude)
    }
    yield* failpoint("restore.placed")
    if (yield* workspaces.restored(workspace)) return yield* workspaces.get(id)
  }
  return yield* new WorkspaceBusy({ id, reason: "other commands change it at the same time" })
})
