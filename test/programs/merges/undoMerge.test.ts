/** An undo that fails in a process that lives on: the next look finds it as one whose process was killed. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MergeFailed } from "../../../src/domain/merge/MergeErrors.ts"
import { CommitId } from "../../../src/domain/workspace/Workspace.ts"
import * as FakeProcesses from "../../../src/layers/memory/fakes/Processes.ts"
import * as MergeGitLayer from "../../../src/layers/node/git/MergeGit.ts"
import { beginMerge } from "../../../src/programs/merges/beginMerge.ts"
import { undoMerge } from "../../../src/programs/merges/undoMerge.ts"
import { MergeGit } from "../../../src/services/MergeGit.ts"
import { Merges } from "../../../src/services/Merges.ts"
import { Processes } from "../../../src/services/Processes.ts"
import { gitIn, makeRepository } from "../../support/repository.ts"
import { testSql } from "../../support/stores.ts"
import { submit } from "../../support/tasks.ts"

/** Branches do not move while this is true. */
const stuck = { now: false }

const git = Layer.effect(
  MergeGit,
  Effect.map(MergeGit, (inner) =>
    MergeGit.of({
      ...inner,
      move: (...args) =>
        stuck.now && args[1].startsWith("refs/heads/")
          ? Effect.fail(new MergeFailed({ repository: args[0], detail: "git did not answer" }))
          : inner.move(...args)
    })
  )
).pipe(Layer.provide(MergeGitLayer.layer))

const world = Layer.merge(git, FakeProcesses.layer).pipe(Layer.provideMerge(testSql))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "beat-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("undoMerge", () => {
  it.scopedLive("leaves the record to the next process where git fails for a branch that is checked out nowhere", () =>
    Effect.gen(function* () {
      const home = join(yield* directory, "shop")
      makeRepository(home)
      const { id: taskId } = yield* submit()
      const before = CommitId.make(gitIn(home, "rev-parse", "main"))
      gitIn(home, "checkout", "--quiet", "-b", "work")
      gitIn(home, "commit", "--quiet", "--allow-empty", "-m", "work")
      const merged = CommitId.make(gitIn(home, "rev-parse", "work"))
      gitIn(home, "branch", "--force", "main", "work")
      const merges = yield* Merges
      const merge = yield* beginMerge({ taskId, home, branch: "main", tree: null, before, merged, state: "testing" })
      yield* merges.change(merge, { state: "merged" })
      stuck.now = true
      const submitter = { environment: {}, taskId: null, depth: 0 }
      assert.include((yield* Effect.flip(undoMerge(taskId, submitter))).message, "git did not answer")
      const [left = assert.fail()] = yield* merges.allOpen
      assert.strictEqual(left.state, "undoing")
      assert.strictEqual(yield* (yield* Processes).alive(left.owner), "dead")
      stuck.now = false
      assert.strictEqual((yield* undoMerge(taskId, submitter)).id, merge.id)
      assert.strictEqual(gitIn(home, "rev-parse", "main"), before)
      assert.deepStrictEqual(yield* merges.allOpen, [])
    }).pipe(Effect.provide(world))
  )
})
