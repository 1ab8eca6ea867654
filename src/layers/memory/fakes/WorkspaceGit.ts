/** Git for tests in which no directory is a repository. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { NotIsolable, WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { WorkspaceGit } from "../../../services/WorkspaceGit.ts"

const noRepository = (directory: string) =>
  Effect.fail(new NotIsolable({ directory, problem: "no-repository", detail: "" }))

const failing = (step: WorkspaceFailed["step"]) => () =>
  Effect.fail(new WorkspaceFailed({ step, path: "/", detail: "there is no workspace" }))

export const layerTest = Layer.succeed(WorkspaceGit, {
  inspect: noRepository,
  revision: noRepository,
  snapshot: noRepository,
  pin: noRepository,
  unpin: () => Effect.void,
  exists: () => Effect.succeed(false),
  trashOf: () => Effect.succeed(null),
  placed: Effect.succeed([]),
  trashed: Effect.succeed([]),
  cut: failing("cut"),
  startAt: failing("start"),
  head: failing("start"),
  seal: failing("seal"),
  tree: failing("seal"),
  changed: failing("compare"),
  files: failing("compare"),
  unsealed: failing("seal"),
  isWhole: () => Effect.succeed(false),
  users: () => Effect.succeed([]),
  discard: failing("reclaim"),
  retrieve: failing("restore"),
  erase: failing("reclaim"),
  size: () => Effect.succeed(null),
  sweep: () => Effect.void
})
