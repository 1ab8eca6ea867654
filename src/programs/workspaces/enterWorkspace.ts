/** Puts the workspace of a task in place before its agent starts. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SpawnFailed } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Environment } from "../../domain/task/NewTask.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { Workspace } from "../../domain/workspace/Workspace.ts"
import type { WorkspaceFailed } from "../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../services/Failpoints.ts"
import type { ClaimedTask, WorkPlace } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerWorkspaces } from "../../services/WorkerWorkspaces.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { isUnbegunRound } from "../loops/inRoundSession.ts"
import { beginWork } from "../loops/recordWork.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { measureWorkspace } from "./fitWorkspaces.ts"
import { restoreSealed } from "./restoreSealed.ts"

const below = (top: string, subdirectory: string): string => (subdirectory === "" ? top : `${top}/${subdirectory}`)

/** From the trash where its files are still there, else cut from the newest seal, else from the base. */
const provide = Effect.fn("enterWorkspace.provide")(function* (
  workspace: Workspace,
  claimId: string,
  { workspaceInclude, workspaceMaxBytes }: Settings
) {
  const git = yield* WorkspaceGit
  if (yield* git.isWhole(workspace)) return
  yield* git.sweep(workspace.id, workspace.path)
  if (workspace.trashPath !== null) {
    const back = yield* Effect.either(git.retrieve(workspace))
    if (back._tag === "Right" && (yield* git.isWhole(workspace))) return
  }
  yield* git.cut(workspace, workspace.lastSeal ?? workspace.base, claimId, workspaceInclude)
  // Known before the next one is made.
  if (workspaceMaxBytes !== null) yield* retryWhileStorageFails(measureWorkspace(workspace))
})

const placeOf = Effect.fn("enterWorkspace.place")(function* (
  workspace: Workspace,
  settings: Settings,
  userHome: string | null,
  extra: Environment
) {
  const spawner = yield* Spawner
  const { home, path, slot, subdirectory } = workspace
  const wanted = settings.workspaceMount
  const problem = wanted === "never" ? null : yield* spawner.mountObstacle(home, userHome)
  const mountable = wanted !== "never" && problem === null
  if (wanted === "always" && problem !== null) {
    return yield* new SpawnFailed({
      reason: "system",
      subject: path,
      detail: `${problem}: set workspaceMount to auto, or see docs/workspaces.md`
    })
  }
  const place: WorkPlace = {
    directory: below(mountable ? home : path, subdirectory),
    workspace: path,
    over: mountable ? home : null,
    variables: {
      BACKBEAT_WORKSPACE: path,
      BACKBEAT_WORKSPACE_HOME: home,
      ...(slot === null ? {} : { BACKBEAT_SLOT: String(slot) }),
      ...extra
    }
  }
  return place
})

const asSpawnFailure = (error: WorkspaceFailed) =>
  new SpawnFailed({ reason: "system", subject: error.path, detail: error.message })

/** A workspace that begins with what the step before left: its commit becomes the base. */
const basedOnStep = Effect.fn("enterWorkspace.step")(function* (workspace: Workspace, id: TaskId) {
  const isNew = workspace.state === "planned" && workspace.lastSeal === null
  if (workspace.baseKind !== "step" || !isNew) return workspace
  const tasks = yield* Tasks
  const workspaces = yield* Workspaces
  const [before] = (yield* retryWhileStorageFails(tasks.get(id))).dependsOn
  if (before === undefined) return workspace
  const result = yield* retryWhileStorageFails(workspaces.result(before.taskId))
  if (Option.isNone(result)) {
    // A step that never started has changed nothing.
    const { startedAt } = yield* retryWhileStorageFails(tasks.summary(before.taskId))
    if (startedAt === null) return workspace
    const detail = `the step before, task ${before.taskId}, left no commit to start from`
    return yield* new SpawnFailed({ reason: "system", subject: workspace.path, detail })
  }
  const { commit } = result.value
  yield* retryWhileStorageFails((yield* WorkerWorkspaces).rebase(workspace.id, commit))
  yield* failpoint("enter.based")
  return { ...workspace, base: commit }
})

/** The claimed task with its place. Repeated after a kill it does what is left to do. */
export const enterWorkspace = Effect.fn("enterWorkspace")(function* (claimed: ClaimedTask, settings: Settings) {
  if (claimed.task.workspaceId === null) return claimed
  const workspaces = yield* Workspaces
  const git = yield* WorkspaceGit
  const found = yield* retryWhileStorageFails(workspaces.ofTask(claimed.task.id))
  if (Option.isNone(found)) return claimed
  const { choice, contestId } = found.value
  if (choice !== null && choice.commit === null) {
    return yield* new SpawnFailed({ reason: "no-candidate", subject: contestId ?? "", detail: "" })
  }
  const startCommit = choice === null ? found.value.startCommit : choice.commit
  const workspace = yield* basedOnStep(found.value.workspace, claimed.task.id).pipe(
    Effect.catchTag("TaskNotFound", (error) =>
      Effect.fail(new SpawnFailed({ reason: "system", subject: found.value.workspace.path, detail: error.message }))
    )
  )
  yield* provide(workspace, claimed.claim.claimId, settings).pipe(
    Effect.catchTag("WorkspaceFailed", (error) => Effect.fail(asSpawnFailure(error)))
  )
  yield* failpoint("enter.provided")
  // A task that continues after a usage limit or a wake keeps what it has done so far.
  const begins = claimed.task.wakes === 0 && (claimed.resumeSession === null || (yield* isUnbegunRound(claimed)))
  if (startCommit !== null && begins) {
    yield* git.startAt(workspace, startCommit).pipe(Effect.mapError(asSpawnFailure))
    yield* failpoint("enter.set")
  }
  yield* restoreSealed(workspace, claimed.task.id, claimed.claim.claimId).pipe(
    Effect.catchTag("WorkspaceFailed", (error) => Effect.fail(asSpawnFailure(error)))
  )
  yield* beginWork(claimed.task.id)
  const place = yield* placeOf(workspace, settings, claimed.environment.HOME ?? null, {
    ...(choice === null ? {} : { BACKBEAT_KEPT: String(choice.winner) })
  })
  yield* retryWhileStorageFails((yield* WorkerWorkspaces).ready(workspace.id, place.over !== null))
  return { ...claimed, place }
})
