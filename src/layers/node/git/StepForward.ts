/** Moves a checked-out branch and its files forward by git, unless another branch is checked out by then. */
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitText } from "./GitProgram.ts"
import { applyMs, takeBackFailed } from "./putBack.ts"
import { inTheWay, stepFiles } from "./StepFiles.ts"

export const branchRef = (name: string) => `refs/heads/${name}`

/** No stash of the user's files: git would put it back only after it has moved the branch. Files that git ignores are the user's too. */
const forwardWords: ReadonlyArray<string> = [
  "merge",
  "--ff-only",
  "--no-autostash",
  "--no-overwrite-ignore",
  "--no-stat",
  "--quiet"
]

/** What git said when it would not, or null. A git that was killed has not said anything: what it has done is unknown. */
const forward = (tree: string, to: CommitId) =>
  git({ directory: tree, args: forwardWords.concat(to), patienceMs: applyMs }).pipe(
    Effect.as(null),
    Effect.catchIf(
      ({ code }) => code !== null,
      ({ detail }) => Effect.succeed(detail)
    )
  )

/** Why the files of a tree may not follow the branch from `from`, or null. git itself would move whatever is checked out by now. */
export const strayed = Effect.fn("MergeGit.strayed")(function* (tree: string, name: string, from: CommitId) {
  const head = { directory: tree, accepts: [0, 1] }
  const commit = yield* gitText({ ...head, args: ["rev-parse", "--verify", "--quiet", "HEAD"] })
  // Last: what is left is the time in which git starts.
  const ref = yield* gitText({ ...head, args: ["symbolic-ref", "--quiet", "HEAD"] })
  if (ref !== branchRef(name)) {
    return `the branch was switched during the merge: ${name} is no longer checked out in ${tree}`
  }
  return commit === from ? null : `the branch ${name} was moved by another command meanwhile`
})

/** Moves the branch and its files forward. Where git would not, all is as before; the answer is why, or null. */
export const stepForward = Effect.fn("MergeGit.stepForward")(function* (
  tree: string,
  name: string,
  from: CommitId,
  to: CommitId,
  recorded: string
) {
  const there = yield* inTheWay(tree, from, yield* stepFiles(tree, from, to))
  const elsewhere = yield* strayed(tree, name, from)
  if (elsewhere !== null) return elsewhere
  const problem = yield* forward(tree, to)
  if (problem === null) return null
  const now = yield* gitText({ directory: tree, args: ["rev-parse", "HEAD"] })
  if (now === to) return null
  if (now === from) yield* takeBackFailed(tree, from, to, recorded, there)
  return problem
})
