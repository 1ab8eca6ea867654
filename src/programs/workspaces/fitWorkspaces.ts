/** Keeps the workspaces below the limit on their bytes: those that no task needs are reclaimed, the oldest first. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Workspace } from "../../domain/workspace/Workspace.ts"
import { WorkerWorkspaces } from "../../services/WorkerWorkspaces.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { reclaimWorkspace } from "./reclaimWorkspace.ts"

/** Workspaces that one look deals with. */
const atOnce = 20

/** A directory is counted for this long at most. */
const patienceMs = 60_000

/** Counts the bytes of a workspace and stores them. */
export const measureWorkspace = Effect.fn("measureWorkspace")(function* ({ id, path }: Pick<Workspace, "id" | "path">) {
  const git = yield* WorkspaceGit
  const own = yield* WorkerWorkspaces
  yield* own.measured(id, yield* git.size(path, patienceMs))
})

/** Does nothing without a limit. Workspaces in the trash do not count: only time empties it. */
export const fitWorkspaces = Effect.fn("fitWorkspaces")(function* ({ workspaceMaxBytes }: Settings) {
  if (workspaceMaxBytes === null) return
  const workspaces = yield* Workspaces
  const own = yield* WorkerWorkspaces
  yield* Effect.forEach(yield* own.unmeasured(atOnce), measureWorkspace, { discard: true })
  if ((yield* workspaces.held).bytes < workspaceMaxBytes) return
  const now = yield* Clock.currentTimeMillis
  for (const { id } of yield* own.idle(now, atOnce)) {
    const reclaimed = yield* Effect.either(reclaimWorkspace(id))
    yield* reclaimed._tag === "Right"
      ? Effect.logInfo(`workspace ${id} is in the trash: workspaces hold more than workspaceMaxBytes`)
      : Effect.logInfo(`workspace ${id} stays: ${reclaimed.left.message}`)
    if ((yield* workspaces.held).bytes < workspaceMaxBytes) return
  }
})
