/** Takes a merge back while nothing was committed on top of it. */
import * as Effect from "effect/Effect"
import type { Merge } from "../../domain/merge/Merge.ts"
import { MergeRefused } from "../../domain/merge/MergeErrors.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { clearTheWay } from "./recoverMerge.ts"

const refuse = (reason: string) => new MergeRefused({ reason })

/** The newest merge of the task that is in force. */
export const undoMerge = Effect.fn("undoMerge")(function* (task: TaskId) {
  const git = yield* MergeGit
  const merges = yield* Merges
  const merge: Merge | undefined = (yield* merges.ofTask(task)).find(({ state }) => state === "merged")
  if (merge === undefined || merge.merged === null) return yield* refuse(`Task ${task} was not merged.`)
  const { before, branch, home, merged } = merge
  yield* clearTheWay(home)
  const state = yield* git.branch(home, branch)
  if (state?.commit !== merged) {
    return yield* refuse(
      `The branch ${branch} has moved since the merge: undo it with git revert ${merged.slice(0, 12)}`
    )
  }
  const problem =
    state.tree === null
      ? (yield* git.move(home, `refs/heads/${branch}`, before, merged))
        ? null
        : "the branch was moved meanwhile"
      : yield* git.takeBack(state.tree, branch, merged, before)
  if (problem !== null) return yield* refuse(`The merge into ${branch} was not undone: ${problem}`)
  yield* merges.change(merge, { state: "undone" })
  return merge
})
