/** Reclaims a workspace: sealed once more, renamed into the trash, and deleted from there after a time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Settings } from "../../domain/settings/Settings.ts"
import { baseRef, lateRef, type Workspace } from "../../domain/workspace/Workspace.ts"
import { WorkspaceBusy } from "../../domain/workspace/WorkspaceErrors.ts"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"

/** What happened to a workspace. `late`: files had changed after the last task, and are in their own commit. */
interface Reclaimed {
  readonly id: WorkspaceId
  readonly late: boolean
  readonly trashPath: string | null
}

/** A workspace is renamed only when all of its files are in the home repository. */
const secure = Effect.fn("reclaim.secure")(function* (workspace: Workspace) {
  const git = yield* WorkspaceGit
  const busy = (reason: string) => new WorkspaceBusy({ id: workspace.id, reason })
  const users = yield* git.users(workspace)
  if (users.length > 0) return yield* busy(`it is the working directory of ${users.join(", ")}`)
  const unsealed = yield* git.unsealed(workspace)
  if (unsealed.length > 0) {
    return yield* busy(`these repositories inside it are in no commit of it: ${unsealed.slice(0, 5).join(", ")}`)
  }
  const seal = yield* git.seal({
    workspace,
    ref: lateRef(workspace.id),
    message: `Changed after the last task\n\nBackbeat-Workspace: ${workspace.id}\n`,
    at: workspace.lastSealedAt ?? workspace.createdAt,
    claimId: `reclaim-${workspace.id}`
  })
  if (!seal.home) return yield* busy(`its commit cannot be stored in ${workspace.home}: ${seal.problem}`)
  if (seal.problem !== null) return yield* busy(`not all of its files can be read: ${seal.problem}`)
  yield* failpoint("reclaim.sealed")
  const before = workspace.lastSeal ?? workspace.base
  const changed = yield* git.changed(workspace.path, before, seal.commit, [])
  if (changed.length > 0) return seal.commit
  // Its newest commit may be one that came late before: no other name keeps it.
  if (seal.commit !== workspace.lastSeal) yield* git.unpin(workspace.home, lateRef(workspace.id))
  return null
})

/** What came late, where the process that sealed it was killed after the rename. */
const lateBefore = ({ home, id }: Workspace) =>
  Effect.flatMap(WorkspaceGit, (git) => Effect.orElseSucceed(git.revision(home, lateRef(id)), () => null))

/** Every step can be repeated by any process: a killed reclaim is finished by the next one. */
export const reclaimWorkspace = Effect.fn("reclaimWorkspace")(function* (id: WorkspaceId) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const workspace = yield* workspaces.reclaiming(id)
  yield* failpoint("reclaim.begun")
  const moved = Effect.gen(function* () {
    const whole = yield* git.isWhole(workspace)
    const late = whole ? yield* secure(workspace) : yield* lateBefore(workspace)
    if (!whole && (yield* git.exists(workspace))) {
      return yield* new WorkspaceBusy({ id, reason: `what is at ${workspace.path} is not the workspace any more` })
    }
    if (!whole && (yield* git.trashOf(workspace)) === null) {
      // It was never cut, or its files were deleted by hand.
      yield* workspaces.gone(id)
      if (workspace.lastSeal === null) yield* git.unpin(workspace.home, baseRef(id))
      return { id, late: false, trashPath: null }
    }
    const trashPath = yield* git.discard(workspace)
    yield* failpoint("reclaim.renamed")
    yield* workspaces.trashed(id, trashPath, late)
    return { id, late: late !== null, trashPath }
  })
  const result: Reclaimed = yield* Effect.tapError(moved, (error) => workspaces.returned(id, error.message))
  return result
})

/** A reclaim that took longer than this was killed. */
export const abandonedMs = 30 * 60_000

/** Workspaces and pieces of trash that one look of a worker deals with. */
const atOnce = 20

/** What an idle worker does: reclaims what was not used for a time, and empties the trash. */
export const tidyWorkspaces = Effect.fn("tidyWorkspaces")(function* (settings: Settings) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const now = yield* Clock.currentTimeMillis
  for (const { id } of yield* workspaces.idle(now - settings.workspaceKeepMs, now - abandonedMs, atOnce)) {
    yield* reclaimWorkspace(id).pipe(
      Effect.catchAll((error) => Effect.logInfo(`workspace ${id} stays: ${error.message}`))
    )
  }
  for (const { id, trashPath } of yield* workspaces.trash(now - settings.workspaceTrashMs, atOnce)) {
    if (trashPath !== null) yield* git.erase(trashPath)
    yield* workspaces.gone(id)
  }
  // What a killed process has left there: no record means it. One that is being reclaimed may be there before its record says so.
  for (const { id, path } of yield* git.trashed) {
    const found = yield* Effect.option(workspaces.get(id))
    if (Option.isNone(found) || found.value.state === "reclaiming" || found.value.trashPath === path) continue
    yield* git.erase(path)
  }
})
