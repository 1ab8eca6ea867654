/** What a worker does with workspaces now and then: reclaims what was not used for a time, and ends what was killed in the middle. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { WorkerWorkspaces } from "../../services/WorkerWorkspaces.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { provenTime } from "../clockWatch.ts"
import { reclaimWorkspace } from "./reclaimWorkspace.ts"

/** Half of a workspace that is older than this was left by a restore that was killed. */
const halfMs = 24 * 60 * 60_000

/** Workspaces and pieces of trash that one look of a worker deals with. */
const atOnce = 20

const recordOf = (id: WorkspaceId) =>
  Effect.flatMap(Workspaces, (workspaces) => Effect.asSome(workspaces.get(id))).pipe(
    Effect.catchTag("WorkspaceNotFound", () => Effect.succeedNone)
  )

/** Finishes the reclaims that were killed: a task may have come while they ran, and waits. Those of living processes are left to them. */
export const finishReclaims = Effect.fn("finishReclaims")(function* () {
  const own = yield* WorkerWorkspaces
  for (const { id } of yield* own.unfinished(atOnce)) {
    yield* reclaimWorkspace(id).pipe(Effect.catchAll((error) => Effect.logDebug(`workspace ${id}: ${error.message}`)))
  }
})

/** Deletes what has been in the trash for long enough. The record comes first: a restore uses only what the record names. */
const emptyTrash = Effect.fn("emptyTrash")(function* (before: number) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const own = yield* WorkerWorkspaces
  for (const workspace of yield* own.trash(before, atOnce)) {
    // A restore has just put it back.
    if (yield* git.isWhole(workspace)) continue
    yield* workspaces.gone(workspace)
  }
  // Also what a killed process has left. What is being reclaimed may be there before its record says so.
  for (const { id, path } of yield* git.trashed) {
    const found = yield* recordOf(id)
    if (Option.isSome(found) && (found.value.state === "reclaiming" || found.value.trashPath === path)) continue
    yield* git.erase(path).pipe(Effect.catchAll((error) => Effect.logWarning(`${path} stays: ${error.message}`)))
  }
})

/**
 * Ends the restores that were killed: files that are back in place are taken for restored, and half of a cut is removed that was last
 * changed before `before`. Null: none is.
 */
const finishRestores = Effect.fn("finishRestores")(function* (before: number | null) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  for (const { changedAt, id } of yield* git.placed) {
    const found = yield* recordOf(id)
    if (Option.isNone(found) || (found.value.state !== "trashed" && found.value.state !== "gone")) continue
    if (yield* git.isWhole(found.value)) yield* workspaces.restored(found.value)
    else if (before !== null && changedAt < before) yield* git.sweep(id, found.value.path)
  }
})

/** What is deleted by its age waits for a clock that was not set for a time: a worker that leaves before leaves it to the next one. */
export const tidyWorkspaces = Effect.fn("tidyWorkspaces")(function* (settings: Settings) {
  const own = yield* WorkerWorkspaces
  yield* finishRestores(null)
  const { workspaceKeepMs, workspaceTrashMs } = settings
  const late = yield* provenTime(workspaceTrashMs)
  yield* finishRestores(late - halfMs)
  yield* emptyTrash(late - workspaceTrashMs)
  const now = yield* provenTime(workspaceKeepMs)
  for (const { id } of yield* own.idle(now - workspaceKeepMs, atOnce)) {
    yield* reclaimWorkspace(id).pipe(
      Effect.catchAll((error) => Effect.logInfo(`workspace ${id} stays: ${error.message}`))
    )
  }
})
