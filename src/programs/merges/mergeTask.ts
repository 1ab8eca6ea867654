/** Brings what a task left into a branch of the user: tried without a work tree, tested if asked, then applied. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { beforeRef, type Merge, type MergeId, mergeRef } from "../../domain/merge/Merge.ts"
import { MergeFailed, MergeRefused } from "../../domain/merge/MergeErrors.ts"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import type { CommitId, WorkResult, Workspace } from "../../domain/workspace/Workspace.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { beginMerge } from "./beginMerge.ts"
import { checkMerge } from "./checkMerge.ts"
import { nothingLeft } from "./nothingLeft.ts"
import { abandon, clearTheWay } from "./recoverMerge.ts"
import { requireHome } from "./requireHome.ts"

export interface MergeOptions {
  /** The directory of the caller. */
  readonly directory: string
  /** The branch; null: the one that is checked out. */
  readonly into: string | null
  /** Make this branch and touch nothing else. */
  readonly create: string | null
  readonly keepCommits: boolean
  /** The command that has to pass first. */
  readonly check: string | null
  readonly dryRun: boolean
  readonly message: string | null
  readonly submitter: Submitter
}

/** The result of merging one task. */
export interface MergeOutcome {
  readonly taskId: TaskId
  readonly title: string
  readonly state: "merged" | "fits" | "unchanged" | "conflict" | "refused"
  readonly branch: string
  readonly before: CommitId
  readonly after: CommitId | null
  readonly files: number
  readonly insertions: number
  readonly deletions: number
  readonly conflicts: ReadonlyArray<string>
  readonly reason: string | null
  readonly mergeId: MergeId | null
  readonly checkTask: TaskId | null
}

export const refuse = (reason: string) => new MergeRefused({ reason })

export const resultOf = Effect.fn("mergeTask.result")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const workspaces = yield* Workspaces
  const task = yield* tasks.summary(id)
  if (!isTerminal(task.status)) return yield* refuse(`Task ${id} is ${task.status}. Wait for its end: beat wait ${id}`)
  const result = Option.getOrNull(yield* workspaces.result(id))
  const place = Option.getOrNull(yield* workspaces.ofTask(id))
  if (result === null || place === null) {
    return yield* refuse(
      task.workspaceId === null
        ? `Task ${id} worked in ${task.directory} itself: there is nothing to merge. Isolated tasks have results: beat run --isolate`
        : nothingLeft(id, place?.workspace ?? null)
    )
  }
  return { task, result, workspace: place.workspace }
})

/** The top directory of the caller, which has to be in the repository that the work was cut from. */
export const homeOf = Effect.fn("mergeTask.home")(function* (
  workspace: Workspace,
  options: Pick<MergeOptions, "directory" | "submitter">
) {
  const git = yield* MergeGit
  const here = yield* git
    .place(options.directory)
    .pipe(Effect.mapError(() => refuse(`Run this in ${workspace.home}: ${options.directory} is not a git repository`)))
  const home = yield* git
    .place(workspace.home)
    .pipe(
      Effect.mapError(() =>
        refuse(`The repository ${workspace.home}, from which the workspace was cut, no longer exists.`)
      )
    )
  if (here.common !== home.common) {
    return yield* refuse(`Run this in ${workspace.home}: the task was cut from that repository, not from ${here.top}.`)
  }
  yield* requireHome(options.submitter, here.top, `merge into ${here.top}`)
  return here.top
})

const targetOf = Effect.fn("mergeTask.target")(function* (workspace: Workspace, options: MergeOptions) {
  const git = yield* MergeGit
  const home = yield* homeOf(workspace, options)
  // A merge that was killed is ended first: it may move the branch.
  if (!options.dryRun) yield* clearTheWay(home)
  if (options.create !== null) {
    if ((yield* git.branch(home, options.create)) !== null) {
      return yield* refuse(`The branch ${options.create} exists already. Merge into it: --into ${options.create}`)
    }
    return { home, branch: options.create, commit: null, tree: null }
  }
  const branch = options.into ?? (yield* git.current(home))
  if (branch === null)
    return yield* refuse("No branch is checked out here. Name one: --into BRANCH, or --branch NAME for a new one.")
  const state = yield* git.branch(home, branch)
  if (state === null) return yield* refuse(`There is no branch ${branch}. Make it: --branch ${branch}`)
  return { home, branch, commit: state.commit, tree: state.tree }
})

export const messageOf = (title: string, id: TaskId, message: string | null) =>
  `${message ?? (title === "" ? `Work of task ${id}` : title)}\n\nBackbeat-Task: ${id}\n`

/** Why the branch may no longer be moved as the merge has begun, or null: its user works while a check runs. */
const strayed = Effect.fn("mergeTask.strayed")(function* (
  { before, branch, home, tree }: Merge,
  during: "check" | "merge"
) {
  const state = yield* (yield* MergeGit).branch(home, branch)
  if (state?.commit !== before) return `the branch ${branch} was moved by another command meanwhile`
  if (state.tree === tree) return null
  const now = tree === null ? `is checked out in ${state.tree} now` : `is no longer checked out in ${tree}`
  return `the branch was switched during the ${during}: ${branch} ${now}`
})

/** Applies a merge that is on record. Returns why it could not, or null. */
const apply = Effect.fn("mergeTask.apply")(function* (merge: Merge, merged: CommitId) {
  const git = yield* MergeGit
  const { before, branch, home, id, tree } = merge
  if (tree === null) {
    const elsewhere = yield* Effect.onError(strayed(merge, "merge"), () => abandon({ ...merge, state: "applying" }))
    if (elsewhere !== null) return elsewhere
    const moved = yield* git.move(home, `refs/heads/${branch}`, merged, before)
    return moved ? null : `the branch ${branch} was moved by another command meanwhile`
  }
  const unrecorded = yield* git.record(tree, beforeRef(id), id).pipe(
    Effect.as(null),
    Effect.catchTag("MergeFailed", ({ detail }) => Effect.succeed(detail))
  )
  if (unrecorded !== null) return `your files could not be recorded: ${unrecorded}`
  yield* failpoint("merge.recorded")
  const problem = yield* git.apply(tree, branch, before, merged, beforeRef(id)).pipe(
    Effect.mapError(
      ({ detail, repository }) =>
        new MergeFailed({
          repository,
          detail: `${detail.replace(/\.$/, "")}. To end what it has begun: beat doctor --fix`
        })
    ),
    Effect.onError(() => abandon({ ...merge, state: "applying" }))
  )
  yield* failpoint("merge.applied")
  return problem
})

/** A process that took this one for dead may have recorded it. */
const isMerged = Effect.fn("mergeTask.isMerged")(function* (id: MergeId) {
  return Option.exists(yield* (yield* Merges).get(id), ({ state }) => state === "merged")
})

const sizeOf = ({ deletions, files, insertions }: WorkResult) => ({ files, insertions, deletions })

export const mergeTask = Effect.fn("mergeTask")(function* (id: TaskId, options: MergeOptions) {
  const git = yield* MergeGit
  const merges = yield* Merges
  const { result, task, workspace } = yield* resultOf(id)
  const target = yield* targetOf(workspace, options)
  const { branch, home, tree } = target
  if (!(yield* git.has(home, result.commit))) {
    return yield* refuse(
      `The result of task ${id} is not in ${home} yet${result.problem === null ? "" : ` (${result.problem})`}. It is in ${workspace.path}.`
    )
  }
  const before = target.commit ?? workspace.base
  const outcome = (fields: Partial<MergeOutcome> & Pick<MergeOutcome, "state">): MergeOutcome => ({
    taskId: id,
    title: task.title,
    branch,
    before,
    after: null,
    ...sizeOf(result),
    conflicts: [],
    reason: null,
    mergeId: null,
    checkTask: null,
    ...fields
  })

  const fitted = yield* git.fit(home, before, result.commit, workspace)
  if (fitted._tag === "Conflicts") return outcome({ state: "conflict", conflicts: fitted.files.slice(0, 100) })
  if (fitted.tree === (yield* git.treeOf(home, before)) && options.create === null)
    return outcome({ state: "unchanged" })
  if (options.dryRun) return outcome({ state: "fits" })

  const parents = options.keepCommits ? [before, result.commit] : [before]
  const merged = yield* git.commit(home, fitted.tree, parents, messageOf(task.title, id, options.message))
  if (options.create !== null) {
    const made = yield* git.move(home, `refs/heads/${branch}`, merged, "0".repeat(merged.length))
    return made
      ? outcome({ state: "merged", after: merged })
      : outcome({ state: "refused", reason: `the branch ${branch} could not be made` })
  }

  const merge = yield* beginMerge({ taskId: id, home, branch, tree, before, merged, state: "testing" })
  yield* failpoint("merge.begun")
  /** All is as it was, so its private names are not needed. */
  const refused = (from: Merge, reason: string, checkTask: TaskId | null) =>
    git
      .forget(home, [mergeRef(merge.id), beforeRef(merge.id)])
      .pipe(
        Effect.zipRight(merges.change(from, { state: "refused", reason, checkTask })),
        Effect.as(outcome({ state: "refused", reason, checkTask }))
      )

  return yield* Effect.gen(function* () {
    const checked = options.check === null ? null : yield* checkMerge(merge, merged, options.check, task)
    if (checked !== null && !checked.passed) {
      return yield* refused(merge, `the check failed: beat logs ${checked.taskId}`, checked.taskId)
    }
    const elsewhere = checked === null ? null : yield* strayed(merge, "check")
    if (elsewhere !== null) return yield* refused(merge, elsewhere, checked?.taskId ?? null)
    const taken = tree === null ? [] : yield* git.inTheWay(tree, before, merged)
    if (taken.length > 0) {
      const files = `${taken.slice(0, 5).join(", ")}${taken.length > 5 ? ` and ${taken.length - 5} more` : ""}`
      return yield* refused(merge, `files that are in no commit are in the way: ${files}`, checked?.taskId ?? null)
    }
    if (!(yield* merges.change(merge, { state: "applying", checkTask: checked?.taskId ?? null }))) {
      return yield* refused(merge, "another process has ended its record meanwhile", checked?.taskId ?? null)
    }
    yield* failpoint("merge.applying")
    const problem = yield* apply(merge, merged)
    const applying = { ...merge, state: "applying" as const }
    if (problem !== null) return yield* refused(applying, problem, checked?.taskId ?? null)
    // The branch has moved. Where that cannot be stored, whatever looks at open merges next finds it and stores it.
    const recorded = Effect.catchTag(merges.change(applying, { state: "merged" }), "StorageError", (error) =>
      Effect.as(Effect.logWarning(`merged, but not recorded yet: ${error.message}`), true)
    )
    if (!(yield* recorded) && !(yield* isMerged(merge.id))) {
      return yield* new MergeFailed({
        repository: home,
        detail: `the branch ${branch} has moved to ${merged.slice(0, 12)}, but another process has ended the record of the merge. To take it back: git revert ${merged.slice(0, 12)}`
      })
    }
    return outcome({ state: "merged", after: merged, mergeId: merge.id, checkTask: checked?.taskId ?? null })
  }).pipe(
    Effect.tapErrorCause(() =>
      merges.change(merge, { state: "refused", reason: "it was interrupted before anything was changed" })
    )
  )
})
