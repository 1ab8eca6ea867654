/** Notes what the work of a round left, so that the transaction which ends the round can judge it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LoopRound } from "../../domain/loop/Loop.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { WorkResult } from "../../domain/workspace/Workspace.ts"
import { Loops } from "../../services/Loops.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** Shown for a round whose changes could not be compared: it is not kept. */
const unknownFile = "(its changes could not be compared)"

const startOf = (round: LoopRound | undefined, base: WorkResult["base"]) => round?.startCommit ?? base

/** The round whose work this task is; null for any other task. */
export const workedIn = Effect.fn("workedIn")(function* (task: TaskId) {
  const loops = yield* Loops
  const place = yield* retryWhileStorageFails(loops.roundOf(task))
  return Option.getOrNull(place)
})

/**
 * Before the agent of a step or of another attempt starts. However its end is stored, what earlier work of the round left is then
 * not taken for what the round left.
 */
export const beginWork = Effect.fn("beginWork")(function* (task: TaskId) {
  const place = yield* workedIn(task)
  if (place === null || place.role !== "work") return
  const round = place.loop.rounds.find(({ round }) => round === place.round)
  if (round?.commit !== null) yield* retryWhileStorageFails((yield* Loops).working(task))
})

/** Repeated it notes the same. */
export const recordWork = Effect.fn("recordWork")(function* (result: WorkResult) {
  const place = yield* workedIn(result.taskId)
  if (place === null || place.role !== "work") return
  const git = yield* WorkspaceGit
  const loops = yield* Loops
  const workspaces = yield* Workspaces
  const found = yield* retryWhileStorageFails(workspaces.ofTask(result.taskId))
  if (Option.isNone(found)) return
  const { path } = found.value.workspace
  const { protect } = place.loop.rules
  const start = startOf(
    place.loop.rounds.find(({ round }) => round === place.round),
    result.base
  )
  const compared = yield* Effect.all({
    files: git.changed(path, start, result.commit, []),
    protected: protect.length === 0 ? Effect.succeed([]) : git.changed(path, start, result.commit, protect)
  }).pipe(
    Effect.catchTag("WorkspaceFailed", (error) =>
      Effect.as(Effect.logError(error.message), { files: [unknownFile], protected: [unknownFile] })
    )
  )
  yield* retryWhileStorageFails(
    loops.worked(result.taskId, {
      commit: result.commit,
      tree: result.tree,
      files: compared.files.length,
      tampered: compared.protected[0] ?? null
    })
  )
})
