/** Reclaims a workspace: sealed once more, renamed into the trash, and deleted from there after a time. */
import * as Effect from "effect/Effect"
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
  if (workspace.kept) return yield* busy(`it is kept: beat workspace keep --off ${workspace.id}`)
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
      yield* workspaces.gone(workspace)
      if (workspace.lastSeal === null) yield* git.unpin(workspace.home, baseRef(id))
      return { id, late: false, trashPath: null }
    }
    const trashPath = yield* git.discard(workspace)
    yield* failpoint("reclaim.renamed")
    yield* workspaces.trashed(workspace, trashPath, late)
    const reclaimed: Reclaimed = { id, late: late !== null, trashPath }
    return reclaimed
  })
  return yield* moved.pipe(
    Effect.catchAll((error) =>
      Effect.flatMap(git.exists(workspace), (isThere) =>
        isThere
          ? Effect.zipRight(workspaces.returned(workspace, error.message), Effect.fail(error))
          : // The process from which this reclaim was taken over lives, and has renamed it meanwhile.
            moved
      )
    )
  )
})
