/** A workspace of a repository, and the layer that works in it. */
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommitId, type Workspace } from "../../../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../../src/domain/workspace/WorkspaceId.ts"
import * as WorkspaceGitLayer from "../../../../src/layers/node/git/WorkspaceGit.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { WorkspaceGit } from "../../../../src/services/WorkspaceGit.ts"
import { paths } from "../../../programs/world.ts"
import { gitIn } from "../../../support/repository.ts"

const id = WorkspaceId.make("w".repeat(12))

/** Cut from the newest commit of `repository`, called `shop`. Backbeat's own directory is `home`. */
export const makeWorkspace = async (repository: string, home: string) => {
  const workspace: Workspace = {
    id,
    home: repository,
    subdirectory: "",
    base: CommitId.make(gitIn(repository, "rev-parse", "HEAD")),
    baseKind: "head",
    path: join(home, "workspaces", id, "shop"),
    slot: 1,
    state: "ready",
    mounted: true,
    kept: false,
    lastSeal: null,
    lastSealedAt: null,
    problem: null,
    trashPath: null,
    createdAt: 0,
    usedAt: 0
  }
  const layer = Layer.provide(
    WorkspaceGitLayer.layer,
    Layer.succeed(Paths, Paths.of({ ...paths, home, workspaces: join(home, "workspaces"), trash: join(home, "trash") }))
  )
  const run = <A, E>(use: (git: WorkspaceGit["Type"]) => Effect.Effect<A, E>) =>
    Effect.runPromise(Effect.either(Effect.flatMap(WorkspaceGit, use)).pipe(Effect.provide(layer)))
  const cut = await run((git) => git.cut(workspace, workspace.base, "claim", []))
  assert.strictEqual(cut._tag, "Right")
  const seal = () =>
    run((git) => git.seal({ workspace, ref: "refs/backbeat/tasks/t", message: "t", at: 1000, claimId: "claim" }))
  return { workspace, run, seal }
}
