/** Ends a merge, or the undo of one, whose process was killed: the branch is at one of the two commits afterwards, and its files fit it. */
import * as Effect from "effect/Effect"
import { beforeRef, type Merge, type MergeId, mergeRef, tornRef, undoRef } from "../../domain/merge/Merge.ts"
import { MergeRefused } from "../../domain/merge/MergeErrors.ts"
import type { CommitId } from "../../domain/workspace/Workspace.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { Processes } from "../../services/Processes.ts"

/** A git that was left running by a killed process ends on its own: it is waited for this many times. */
const looks = 50
const lookEvery = "100 millis"

const unchanged = "its process was killed before anything was changed"

/** Where the branch is, once the git that a killed process left running has ended. What a killed git has locked is free then. */
const settled = Effect.fn("recoverMerge.settled")(function* (merge: Merge, from: CommitId) {
  const git = yield* MergeGit
  const { branch, changedAt, home, id, tree } = merge
  let state = yield* git.branch(home, branch)
  for (let look = 0; look < looks && state?.commit === from; look += 1) {
    yield* Effect.sleep(lookEvery)
    const next = yield* git.branch(home, branch)
    if (next?.commit !== state.commit) state = next
    else if (look >= looks / 5) break
  }
  const refs = [`refs/heads/${branch}`, mergeRef(id), beforeRef(id), tornRef(id), undoRef(id)]
  yield* git.unlock(tree !== null && state?.tree === tree ? tree : home, refs, changedAt)
  return state
})

type End = Pick<Merge, "state" | "reason">

const ended = (state: Merge["state"], reason: string | null): End => ({ state, reason })

/** Keeps the files as they are, half written or edited since, under a private name. */
const keepTorn = Effect.fn("recoverMerge.keepTorn")(function* (id: MergeId, tree: string) {
  yield* (yield* MergeGit).record(tree, tornRef(id), id)
  yield* failpoint("merge.torn")
})

const movedAway = (branch: string) => `the branch ${branch} was moved by another command meanwhile`

const settle = Effect.fn("recoverMerge.settle")(function* (merge: Merge, merged: CommitId) {
  const git = yield* MergeGit
  const { before, branch, home, id, tree } = merge
  const state = yield* settled(merge, before)
  if (state?.commit === merged) return ended("merged", null)
  if (state === null) return ended("refused", `there is no branch ${branch} in ${home} any more`)
  if (state.commit !== before) return ended("refused", movedAway(branch))
  if (tree === null) return ended("refused", unchanged)
  if (state.tree !== tree) return ended("refused", `the branch ${branch} is no longer checked out in ${tree}`)
  yield* keepTorn(id, tree)
  const problem = yield* git.finish(tree, branch, before, merged)
  return problem === null
    ? ended("merged", null)
    : ended("refused", `it was interrupted, and could not be finished: ${problem}`)
})

/** An undo is finished, unless its files were edited since: then all is as it was before the undo. */
const settleUndo = Effect.fn("recoverMerge.settleUndo")(function* (merge: Merge, merged: CommitId) {
  const git = yield* MergeGit
  const { before, branch, home, id, tree } = merge
  const state = yield* settled(merge, merged)
  if (state?.commit === before) return ended("undone", null)
  if (state?.commit !== merged || state.tree !== tree) return ended("merged", null)
  if (tree === null) {
    return ended((yield* git.move(home, `refs/heads/${branch}`, before, merged)) ? "undone" : "merged", null)
  }
  yield* keepTorn(id, tree)
  return ended((yield* git.takeBack(tree, branch, merged, before, true)) === null ? "undone" : "merged", null)
})

/** The start time of no process. */
export const abandoned = "abandoned"

/** Leaves an open merge to the next process that looks, as if this one had been killed: a server lives on. */
export const abandon = Effect.fn("recoverMerge.abandon")(function* (merge: Merge) {
  const { bootId, pid } = yield* (yield* Processes).self
  yield* Effect.ignore((yield* Merges).change(merge, { owner: { bootId, pid, startTime: abandoned } }))
})

/** Takes over an open merge if its process is dead; returns how it ended, or null where it is still carried out. */
export const recoverMerge = Effect.fn("recoverMerge")(function* (merge: Merge) {
  const processes = yield* Processes
  const merges = yield* Merges
  const self = yield* processes.self
  if ((yield* processes.alive(merge.owner)) !== "dead") return null
  const taken = yield* merges.change(merge, { owner: self })
  if (!taken) return null
  const mine = { ...merge, owner: self }
  const { home, id, merged, state } = merge
  const end =
    state === "testing" || merged === null
      ? ended("refused", unchanged)
      : yield* Effect.onError((state === "undoing" ? settleUndo : settle)(mine, merged), () => abandon(mine))
  if (end.reason === unchanged) yield* (yield* MergeGit).forget(home, [mergeRef(id), beforeRef(id)])
  yield* merges.change(mine, end)
  return end.state
})

/** The open merges of the repository of a directory, whichever of its work trees they began in, oldest first. */
export const openMerges = Effect.fn("openMerges")(function* (home: string) {
  const git = yield* MergeGit
  const open = yield* (yield* Merges).allOpen
  if (open.length === 0) return []
  const { common } = yield* git.place(home)
  return yield* Effect.filter(open, (merge) =>
    merge.home === home
      ? Effect.succeed(true)
      : git.place(merge.home).pipe(
          Effect.map((place) => place.common === common),
          // A directory that is gone: what is open there is left to the doctor.
          Effect.orElseSucceed(() => false)
        )
  )
})

/** Before a merge of a repository begins: older ones are ended first, each in its own work tree, or the caller has to wait. */
export const clearTheWay = Effect.fn("clearTheWay")(function* (home: string) {
  for (const open of yield* openMerges(home)) {
    if ((yield* recoverMerge(open)) !== null) continue
    return yield* new MergeRefused({
      reason: `Another merge into ${open.home} is being carried out (pid ${open.owner.pid}). Try again when it has ended.`
    })
  }
})
