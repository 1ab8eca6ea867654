/** What a submitter may ask for a workspace: an agent, only where it has submitted every task in it. */
import * as Effect from "effect/Effect"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { reclaimWorkspace } from "./reclaimWorkspace.ts"
import { restoreWorkspace } from "./restoreWorkspace.ts"

const requireOwnWorkspace = Effect.fn("requireOwnWorkspace")(function* (
  id: WorkspaceId,
  submitter: Submitter,
  step: string
) {
  if (submitter.taskId === null) return
  yield* requireOwn(submitter, yield* (yield* Workspaces).submitted(id), step, `workspace ${id}`)
})

export const keepFor = Effect.fn("keepFor")(function* (id: WorkspaceId, kept: boolean, submitter: Submitter) {
  yield* requireOwnWorkspace(id, submitter, kept ? "keep" : "stop keeping")
  yield* (yield* Workspaces).keep(id, kept)
})

export const reclaimFor = Effect.fn("reclaimFor")(function* (id: WorkspaceId, submitter: Submitter) {
  yield* requireOwnWorkspace(id, submitter, "reclaim")
  return yield* reclaimWorkspace(id)
})

export const restoreFor = Effect.fn("restoreFor")(function* (id: WorkspaceId, submitter: Submitter) {
  yield* requireOwnWorkspace(id, submitter, "restore")
  return yield* restoreWorkspace(id)
})
