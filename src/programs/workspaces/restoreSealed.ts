/** Makes sure that an evaluation looks at what was sealed: another task may have worked in the workspace since, or a process that was left. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../domain/task/Task.ts"
import type { CommitId, Workspace } from "../../domain/workspace/Workspace.ts"
import { Contests } from "../../services/Contests.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { candidateOf } from "../contests/recordCandidate.ts"
import { workedIn } from "../loops/recordWork.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

interface Judging {
  /** The task whose work is judged. */
  readonly work: TaskId
  /** What the verdict speaks of; null: it could not be sealed, and the verdict counts as no pass. */
  readonly sealed: { readonly commit: CommitId; readonly tree: CommitId } | null
  /** Whether no evaluation of this work comes before it: later ones may find what the earlier ones built. */
  readonly isFirst: boolean
}

const inRound = Effect.fn("judging.round")(function* (task: TaskId) {
  const place = yield* workedIn(task)
  if (place === null || place.role === "work") return null
  const round = place.loop.rounds.find(({ round }) => round === place.round)
  if (round === undefined) return null
  const { commit, evaluationTasks, tree, workTask } = round
  // That of the round, not of its last task: one that could not start has left nothing, and the round is what was there before.
  const sealed = commit === null || tree === null ? null : { commit, tree }
  const judging: Judging = { work: workTask, sealed, isFirst: evaluationTasks[0] === task }
  return judging
})

const inContest = Effect.fn("judging.contest")(function* (task: TaskId) {
  const place = yield* candidateOf(task)
  if (place === null || place.role === "work" || place.role === "choice") return null
  const entrants = yield* retryWhileStorageFails((yield* Contests).entrants(place.id))
  const own = entrants.filter(({ number }) => number === place.number)
  const work = own.find(({ role }) => role === "work")
  if (work === undefined) return null
  const first = own.find(({ role }) => role !== "work")
  const sealed = Option.getOrNull(yield* retryWhileStorageFails((yield* Workspaces).result(work.taskId)))
  const judging: Judging = { work: work.taskId, sealed, isFirst: first?.taskId === task }
  return judging
})

/** Does nothing for a task that evaluates nothing. */
export const restoreSealed = Effect.fn("restoreSealed")(function* (
  workspace: Workspace,
  task: TaskId,
  claimId: string
) {
  const judging = (yield* inRound(task)) ?? (yield* inContest(task))
  if (judging === null || judging.sealed === null) return
  const { commit, tree } = judging.sealed
  // What a task leaves is sealed as well, so the newest seal tells whether one has worked here between two evaluations.
  if (!judging.isFirst && workspace.lastSeal === commit) return
  const git = yield* WorkspaceGit
  if ((yield* git.tree(workspace, claimId)) === tree) return
  yield* Effect.logWarning(
    `the files of ${workspace.path} have changed since the work of task ${judging.work} was sealed: they are set back before task ${task} evaluates it`
  )
  yield* git.startAt(workspace, commit)
})
