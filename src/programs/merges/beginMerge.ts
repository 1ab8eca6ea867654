/** Puts a merge on record before its first step, and gives its commit a private name that keeps it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Merge, mergeRef } from "../../domain/merge/Merge.ts"
import { MergeRefused } from "../../domain/merge/MergeErrors.ts"
import type { CommitId } from "../../domain/workspace/Workspace.ts"
import { Ids } from "../../services/Ids.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Merges } from "../../services/Merges.ts"
import { Processes } from "../../services/Processes.ts"
import { abandon, openMerges } from "./recoverMerge.ts"

const begun = (home: string) =>
  new MergeRefused({ reason: `Another merge into ${home} has begun. Try again when it has ended.` })

/**
 * Refused while another merge into the same repository is open, also one that began in another of its work trees. A proposal moves
 * no branch and no file, so it waits for none.
 */
export const beginMerge = Effect.fn("beginMerge")(function* (
  given: Pick<Merge, "taskId" | "home" | "branch" | "tree" | "before" | "state"> & { readonly merged: CommitId }
) {
  const git = yield* MergeGit
  const merges = yield* Merges
  const now = yield* Clock.currentTimeMillis
  const merge: Merge & { readonly merged: CommitId } = {
    ...given,
    id: yield* (yield* Ids).merge,
    checkTask: null,
    conflicts: [],
    reason: null,
    url: null,
    owner: yield* (yield* Processes).self,
    createdAt: now,
    changedAt: now
  }
  if (!(yield* merges.begin(merge))) return yield* begun(merge.home)
  return yield* Effect.gen(function* () {
    // Looked up after the row is there: of two that began at the same time, the later one finds the other.
    const [oldest] = merge.state === "proposing" ? [] : yield* openMerges(merge.home)
    if (oldest !== undefined && oldest.id !== merge.id) {
      yield* merges.change(merge, { state: "refused", reason: `another merge into ${oldest.home} had begun` })
      return yield* begun(oldest.home)
    }
    // After the row, so that no name is left without one: git collects no commit that is so young.
    yield* git.move(merge.home, mergeRef(merge.id), merge.merged, null)
    return merge
  }).pipe(Effect.onError(() => abandon(merge)))
})
