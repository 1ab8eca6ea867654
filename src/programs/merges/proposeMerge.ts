/** Proposes the work of a task as a pull request: pushed as its own branch, and no branch here moves. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { requireOutside } from "../tasks/requireOwn.ts"
import { beginMerge } from "./beginMerge.ts"
import { homeOf, type MergeOptions, messageOf, refuse, resultOf } from "./mergeTask.ts"

type ProposeOptions = Pick<MergeOptions, "directory" | "into" | "create" | "keepCommits" | "message" | "submitter">

/** A pull request that is open. */
interface Proposal {
  readonly taskId: TaskId
  readonly title: string
  /** The branch of the remote that holds the work, and the one that it is to be merged into. */
  readonly branch: string
  readonly into: string
  readonly url: string
}

/** GitHub cuts longer titles. */
const longestTitle = 200

/** The merge that an earlier call put on record, or a new one. */
const recorded = Effect.fn("proposeMerge.recorded")(function* (
  { result, task, workspace }: Effect.Effect.Success<ReturnType<typeof resultOf>>,
  home: string,
  branch: string,
  options: ProposeOptions
) {
  const git = yield* MergeGit
  const merges = yield* Merges
  const { id } = task
  const known = (yield* merges.ofTask(id)).find(
    (merge) => merge.branch === branch && (merge.state === "proposing" || merge.state === "proposed")
  )
  if (known !== undefined) return known
  const fitted = yield* git.fit(home, workspace.base, result.commit, workspace)
  if (fitted._tag === "Conflicts")
    return yield* refuse(`The work of task ${id} does not fit onto the commit it began at.`)
  if (fitted.tree === (yield* git.treeOf(home, workspace.base))) return yield* refuse(`Task ${id} changed nothing.`)
  const parents = options.keepCommits ? [workspace.base, result.commit] : [workspace.base]
  const merged = yield* git.commit(home, fitted.tree, parents, messageOf(task.title, id, options.message))
  return yield* beginMerge({
    taskId: id,
    home,
    branch,
    tree: null,
    before: workspace.base,
    merged,
    state: "proposing"
  })
})

/** Each step can be repeated: after a kill the next call continues with the same commit. */
export const proposeMerge = Effect.fn("proposeMerge")(function* (id: TaskId, options: ProposeOptions) {
  const git = yield* MergeGit
  const merges = yield* Merges
  yield* requireOutside(options.submitter, "open a pull request")
  if (!(yield* git.hasGh)) {
    return yield* refuse(
      "A pull request is opened by GitHub's gh, which is not installed: install it (https://cli.github.com), or make a branch with --branch NAME and push it."
    )
  }
  const work = yield* resultOf(id)
  const { task, workspace } = work
  const home = yield* homeOf(workspace, options)
  const into = options.into ?? (yield* git.current(home))
  if (into === null) return yield* refuse("No branch is checked out here. Name the one to merge into: --into BRANCH")
  const remote = yield* git.remoteOf(home, into)
  if (remote === null) return yield* refuse(`${home} has no remote to push to. Add one: git remote add origin URL`)
  const merge = yield* recorded(work, home, options.create ?? `beat/${id}`, options)
  const { branch, merged } = merge
  if (merged === null) return yield* Effect.dieMessage("a proposal without a commit")
  yield* failpoint("propose.recorded")
  yield* git.push(home, remote, branch, merged)
  yield* failpoint("propose.pushed")
  const title = options.message ?? (task.title === "" ? `Work of task ${id}` : task.title)
  const url = yield* git.openPullRequest({
    home,
    branch,
    base: into,
    title: title.split("\n")[0]?.slice(0, longestTitle) ?? title,
    body: `${title.split("\n").slice(1).join("\n").trim()}\n\nBackbeat-Task: ${id}`.trim()
  })
  yield* merges.change(merge, { state: "proposed", url })
  const proposal: Proposal = { taskId: id, title: task.title, branch, into, url }
  return proposal
})
