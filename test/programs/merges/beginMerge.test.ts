/** Merges that begin in two work trees of one repository at the same time. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommitId } from "../../../src/domain/workspace/Workspace.ts"
import * as FakeProcesses from "../../../src/layers/memory/fakes/Processes.ts"
import * as MergeGitLayer from "../../../src/layers/node/git/MergeGit.ts"
import { beginMerge } from "../../../src/programs/merges/beginMerge.ts"
import { Merges } from "../../../src/services/Merges.ts"
import { gitIn, makeRepository } from "../../support/repository.ts"
import { testSql } from "../../support/stores.ts"
import { submit } from "../../support/tasks.ts"

const world = Layer.merge(MergeGitLayer.layer, FakeProcesses.layer).pipe(Layer.provideMerge(testSql))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "beat-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("beginMerge", () => {
  it.scopedLive(
    "refuses the later one, whichever work tree of the repository it begins in, and no other repository",
    () =>
      Effect.gen(function* () {
        const at = yield* directory
        const [shop, linked, other] = [join(at, "shop"), join(at, "linked"), join(at, "other")]
        for (const repository of [shop, other]) makeRepository(repository)
        gitIn(shop, "worktree", "add", "--quiet", linked, "other")
        const { id: taskId } = yield* submit()
        const begin = (home: string, branch: string) => {
          const commit = CommitId.make(gitIn(home, "rev-parse", branch))
          return beginMerge({ taskId, home, branch, tree: home, before: commit, merged: commit, state: "testing" })
        }
        const first = yield* begin(shop, "main")
        const refused = yield* Effect.flip(begin(linked, "other"))
        assert.include(refused.message, `Another merge into ${shop} has begun`)
        yield* begin(other, "main")
        // A pull request moves nothing here: it waits for none of them.
        for (const home of [shop, linked]) {
          const commit = CommitId.make(gitIn(home, "rev-parse", "HEAD"))
          const proposal = { taskId, home, branch: `beat/${taskId}`, tree: null, before: commit, merged: commit }
          yield* beginMerge({ ...proposal, state: "proposing" })
        }
        const merges = yield* Merges
        assert.deepStrictEqual(
          (yield* merges.ofTask(taskId)).map(({ home, state }) => [home, state]),
          [
            [linked, "proposing"],
            [shop, "proposing"],
            [other, "testing"],
            [linked, "refused"],
            [shop, "testing"]
          ]
        )
        yield* merges.change(first, { state: "merged" })
        assert.strictEqual((yield* begin(linked, "other")).state, "testing")
      }).pipe(Effect.provide(world))
  )
})
