/** Git for tests in which nothing is merged. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MergeFailed } from "../../../domain/merge/MergeErrors.ts"
import { MergeGit } from "../../../services/MergeGit.ts"

const failing = (repository: string) =>
  Effect.fail(new MergeFailed({ repository, detail: "a test with merges uses git" }))

export const layerTest = Layer.succeed(MergeGit, {
  place: failing,
  current: failing,
  branch: failing,
  fit: failing,
  treeOf: failing,
  commit: failing,
  move: failing,
  record: failing,
  inTheWay: failing,
  apply: failing,
  unlock: () => Effect.void,
  finish: failing,
  takeBack: failing,
  forget: () => Effect.void,
  changedFiles: failing,
  has: () => Effect.succeed(false),
  diff: failing,
  page: failing,
  hasGh: Effect.succeed(false),
  remoteOf: failing,
  push: failing,
  openPullRequest: () => failing("")
})
