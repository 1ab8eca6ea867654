/** Reclaims a workspace: sealed once more, renamed into the trash, and deleted from there after a time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { baseRef, lateRef, type Workspace } from "../../domain/workspace/Workspace.ts"
import { WorkspaceBusy } from "../../domain/workspace/WorkspaceErrors.ts"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Processes } from "../../services/Processes.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"

/** What happened to a workspace. `late`: files had changed after the last task, and are in their own commit. */
interface Reclaimed {
  readonly id: WorkspaceId
  readonly late: boolean
  readonly trashPath: string | null
}

const notKept = ({ id, kept }: Workspace) =>
  kept ? Effect.fail(new WorkspaceBusy({ id, reason: `it is kept: beat workspace keep --off ${id}` })) : Effect.void

/** A workspace is renamed only when all of its files are in the home repository. */
const secure = Effect.fn("reclaim.secure")(function* (workspace: Workspace) {
  const git = yield* WorkspaceGit
  const busy = (reason: string) => new WorkspaceBusy({ id: workspace.id, reason })
  yield* notKept(workspace)
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

/** A process that cannot be seen from here has had this long to reclaim a workspace, in milliseconds. */
const unseenMs = 30 * 60_000

/** The process of a killed reclaim; null: none has begun. One that may live has to end it. */
const killed = Effect.fn("reclaim.killed")(function* (id: WorkspaceId) {
  const found = yield* (yield* Workspaces).reclaimer(id)
  if (Option.isNone(found)) return null
  const { reclaimer, since } = found.value
  const alive = yield* (yield* Processes).alive(reclaimer)
  if (alive === "dead" || (alive === "unknown" && (yield* Clock.currentTimeMillis) - since > unseenMs)) return reclaimer
  return yield* new WorkspaceBusy({ id, reason: `another process reclaims it (pid ${reclaimer.pid})` })
})

/** Every step can be repeated by any process: a killed reclaim is finished by the next one. */
export const reclaimWorkspace = Effect.fn("reclaimWorkspace")(function* (id: WorkspaceId) {
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const self = yield* (yield* Processes).self
  const workspace = yield* workspaces.reclaiming(id, self, yield* killed(id))
  yield* failpoint("reclaim.begun")
  const moved = Effect.gen(function* () {
    const whole = yield* git.isWhole(workspace)
    const late = whole ? yield* secure(workspace) : yield* lateBefore(workspace)
    if (!whole && (yield* git.exists(workspace))) {
      return yield* new WorkspaceBusy({ id, reason: `what is at ${workspace.path} is not the workspace any more` })
    }
    if (!whole && (yield* git.trashOf(workspace)) === null) {
      // It was never cut, or its files were deleted by hand.
      const isGone = yield* workspaces.gone(workspace)
      const isAwaited = !isGone || (yield* workspaces.get(id)).state !== "gone"
      if (workspace.lastSeal === null && !isAwaited) yield* git.unpin(workspace.home, baseRef(id))
      return { id, late: false, trashPath: null }
    }
    // It may be kept since.
    if (whole) yield* notKept(yield* workspaces.get(id))
    const trashPath = yield* git.discard(workspace)
    yield* failpoint("reclaim.renamed")
    // Files that no record finds would be erased.
    yield* Effect.tapError(workspaces.trashed(workspace, trashPath, late), () =>
      Effect.ignore(git.retrieve({ ...workspace, trashPath }))
    )
    const reclaimed: Reclaimed = { id, late: late !== null, trashPath }
    return reclaimed
  })
  return yield* Effect.tapError(moved, (error) =>
    Effect.whenEffect(workspaces.returned(workspace, error.message), git.exists(workspace))
  )
})
