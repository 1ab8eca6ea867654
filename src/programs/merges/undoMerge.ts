/** Takes a merge back while nothing was committed on top of it: on record from before the first change, as a merge is. */
import * as Effect from "effect/Effect"
import { type Merge, undoRef } from "../../domain/merge/Merge.ts"
import { MergeFailed } from "../../domain/merge/MergeErrors.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { CommitId } from "../../domain/workspace/Workspace.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { Processes } from "../../services/Processes.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { refuse } from "./mergeTask.ts"
import { abandon, clearTheWay, openMerges } from "./recoverMerge.ts"
import { requireHome } from "./requireHome.ts"

/** The newest merge of the task that is in force or was being undone, after open merges of its repository have been ended. */
const inForce = Effect.fn("undoMerge.inForce")(function* (task: TaskId, submitter: Submitter) {
  const merges = yield* Merges
  const known = yield* merges.ofTask(task)
  for (const { home } of known) yield* requireHome(submitter, home, `undo a merge into ${home}`)
  const [newest] = known
  // One that was killed is ended first: it may be this one.
  if (newest !== undefined) yield* clearTheWay(newest.home)
  const all = yield* merges.ofTask(task)
  const isUndone = newest?.state === "undoing" && all[0]?.id === newest.id && all[0].state === "undone"
  return isUndone ? all[0] : all.find(({ state }) => state === "merged")
})

/** Moves a branch back that is checked out nowhere. */
const moveBack = Effect.fn("undoMerge.moveBack")(function* ({ before, branch, home }: Merge, merged: CommitId) {
  const moved = yield* (yield* MergeGit).move(home, `refs/heads/${branch}`, before, merged)
  return moved ? null : "the branch was moved meanwhile"
})

/** Moves the files back, once they are on record as they are: an edit that comes while git writes is not looked for again. */
const takeBack = Effect.fn("undoMerge.takeBack")(function* (merge: Merge, tree: string, merged: CommitId) {
  const git = yield* MergeGit
  const { before, branch, home, id } = merge
  const unrecorded = yield* git.record(tree, undoRef(id), id).pipe(
    Effect.as(null),
    Effect.catchTag("MergeFailed", ({ detail }) => Effect.succeed(detail))
  )
  if (unrecorded !== null) return `your files could not be recorded: ${unrecorded}`
  yield* failpoint("undo.recorded")
  const problem = yield* git.takeBack(tree, branch, merged, before, false)
  if (problem !== null) yield* git.forget(home, [undoRef(id)])
  return problem
})

export const undoMerge = Effect.fn("undoMerge")(function* (task: TaskId, submitter: Submitter) {
  const git = yield* MergeGit
  const merges = yield* Merges
  const merge: Merge | undefined = yield* inForce(task, submitter)
  if (merge === undefined || merge.merged === null) return yield* refuse(`Task ${task} was not merged.`)
  if (merge.state === "undone") return merge
  const { before, branch, home, merged } = merge
  const state = yield* git.branch(home, branch)
  const revert = `undo it with git revert ${merged.slice(0, 12)}`
  if (state === null) {
    // Git names no branch of a directory that is gone either.
    const isThere = yield* Effect.isSuccess(git.place(home))
    return yield* refuse(
      isThere
        ? `There is no branch ${branch} in ${home} any more.`
        : `${home}, where it was merged, is no longer a git repository: ${revert} in a work tree of the branch ${branch}`
    )
  }
  if (state.commit !== merged) return yield* refuse(`The branch ${branch} has moved since the merge: ${revert}`)
  const owner = yield* (yield* Processes).self
  const { tree } = state
  if (!(yield* merges.change(merge, { state: "undoing", tree, owner }))) {
    return yield* refuse(`Another merge into ${home} has begun. Try again when it has ended.`)
  }
  const undoing = { ...merge, state: "undoing" as const, owner }
  // One that began in another work tree of the repository at the same time.
  const rival = (yield* Effect.onError(openMerges(home), () => abandon(undoing))).find(({ id }) => id !== merge.id)
  if (rival !== undefined) {
    yield* merges.change(undoing, { state: "merged" })
    return yield* refuse(`Another merge into ${rival.home} has begun. Try again when it has ended.`)
  }
  yield* failpoint("undo.begun")
  const moving = tree === null ? moveBack(undoing, merged) : takeBack(undoing, tree, merged)
  const problem = yield* Effect.onError(moving, () => abandon(undoing))
  yield* failpoint("undo.moved")
  if (!(yield* merges.change(undoing, { state: problem === null ? "undone" : "merged" })) && problem === null) {
    const detail = `the branch ${branch} has moved back to ${before.slice(0, 12)}, but another process has ended the record of the merge`
    return yield* new MergeFailed({ repository: home, detail })
  }
  if (problem !== null) return yield* refuse(`The merge into ${branch} was not undone: ${problem}`)
  return merge
})
