/** Ends a merge whose process was killed: the branch is at one of the two commits afterwards, and its files fit it. */
import * as Effect from "effect/Effect"
import { type Merge, tornRef } from "../../domain/merge/Merge.ts"
import { MergeRefused } from "../../domain/merge/MergeErrors.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { Processes } from "../../services/Processes.ts"

/** A git that was left running by a killed process ends on its own: it is waited for this many times. */
const looks = 50
const lookEvery = "100 millis"

const settle = Effect.fn("recoverMerge.settle")(function* (merge: Merge, merged: NonNullable<Merge["merged"]>) {
  const git = yield* MergeGit
  let state = yield* git.branch(merge.home, merge.branch)
  for (let look = 0; look < looks && state?.commit === merge.before; look += 1) {
    yield* Effect.sleep(lookEvery)
    const next = yield* git.branch(merge.home, merge.branch)
    if (next?.commit !== state.commit) state = next
    else if (look >= looks / 5) break
  }
  if (state?.commit === merged) return { state: "merged" as const, reason: null }
  if (state?.commit !== merge.before || merge.tree === null) {
    return { state: "refused" as const, reason: `the branch ${merge.branch} was moved by another command meanwhile` }
  }
  // Whatever is there, torn or edited since, can be found again.
  yield* git.record(merge.tree, tornRef(merge.id), `torn-${merge.id}`)
  yield* failpoint("merge.torn")
  const problem = yield* git.finish(merge.tree, merge.before, merged, merge.changedAt)
  return problem === null
    ? { state: "merged" as const, reason: null }
    : { state: "refused" as const, reason: `it was interrupted, and could not be finished: ${problem}` }
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
  const end =
    merge.state === "applying" && merge.merged !== null
      ? yield* settle(merge, merge.merged)
      : { state: "refused" as const, reason: "its process was killed before anything was changed" }
  yield* merges.change(mine, end)
  return end.state
})

/** Before a merge of a repository begins: an older one is ended first, or the caller has to wait. */
export const clearTheWay = Effect.fn("clearTheWay")(function* (home: string) {
  const merges = yield* Merges
  const open = yield* merges.open(home)
  if (open._tag === "None") return
  const ended = yield* recoverMerge(open.value)
  if (ended !== null) return
  return yield* new MergeRefused({
    reason: `Another merge into ${home} is being carried out (pid ${open.value.owner.pid}). Try again when it has ended.`
  })
})
