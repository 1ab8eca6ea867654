/** What a task leaves in its workspace is a commit before its claim is given up, however it comes back or ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { StorageError } from "../../../src/domain/Errors.ts"
import type { WorkspaceRequest } from "../../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../src/domain/workspace/WorkspaceId.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import * as TerminalEvents from "../../../src/layers/TerminalEvents.ts"
import { park } from "../../../src/programs/limits/park.ts"
import { endUnreadable } from "../../../src/programs/worker/endUnreadable.ts"
import { Processes as ProcessesTag } from "../../../src/services/Processes.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Spawner } from "../../../src/services/Spawner.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { WorkspaceGit } from "../../../src/services/WorkspaceGit.ts"
import { Workspaces } from "../../../src/services/Workspaces.ts"
import { testSql } from "../../support/stores.ts"
import { parked, submitAndClaim, workerA, workerWith } from "../../support/tasks.ts"

const commit = "c".repeat(40)

const workspace: WorkspaceRequest = {
  kind: "new",
  id: WorkspaceId.make("w".repeat(12)),
  home: "/home/ann/shop",
  subdirectory: "",
  base: "a".repeat(40),
  baseKind: "head",
  path: "/state/workspaces/1/shop"
}

/** One changed file in a workspace that is whole. */
const git = Layer.mock(WorkspaceGit, {
  isWhole: () => Effect.succeed(true),
  seal: () =>
    Effect.succeed({
      commit,
      tree: commit,
      files: 1,
      insertions: 1,
      deletions: 0,
      commits: 0,
      nested: [],
      home: true,
      problem: null
    })
})

const spawner = Layer.mock(Spawner, {
  discard: () => Effect.void,
  revoke: () => Effect.succeed(false),
  stop: () => Effect.succeed({ ended: 1, left: 0 })
})

const parking = parked({ resetsAt: 1000 })

const layer = Layer.mergeAll(testSql, git, spawner, TerminalEvents.layer, Processes.layer)

/** The commit that is stored of a task, and its status. */
const stored = Effect.fn(function* (id: Parameters<typeof Tasks.Service.summary>[0]) {
  const result = yield* (yield* Workspaces).result(id)
  const { status } = yield* (yield* Tasks).summary(id)
  return [status, Option.getOrNull(Option.map(result, (one) => one.commit))]
})

describe("what a task left in its workspace", () => {
  it.effect("is sealed when it is parked, so that a cancel of the queued task finds it sealed", () =>
    Effect.gen(function* () {
      const claimed = yield* submitAndClaim({ agent: "claude", workspace })
      yield* park(claimed, parking, claimed.claim)
      assert.deepStrictEqual(yield* stored(claimed.task.id), ["queued", commit])
      yield* (yield* Queue).cancel(claimed.task.id, { reason: null, by: "ann" })
      assert.deepStrictEqual(yield* stored(claimed.task.id), ["cancelled", commit])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is sealed where a cancel ends it while it is parked", () =>
    Effect.gen(function* () {
      const claimed = yield* submitAndClaim({ agent: "claude", workspace })
      yield* (yield* Queue).cancel(claimed.task.id, { reason: null, by: "ann" })
      yield* park(claimed, parking, claimed.claim)
      assert.deepStrictEqual(yield* stored(claimed.task.id), ["cancelled", commit])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is sealed where it is ended because its worker cannot read something of it", () =>
    Effect.gen(function* () {
      const { claim, task } = yield* submitAndClaim({ agent: "claude", workspace })
      const worker = workerWith({ id: workerA, process: yield* (yield* ProcessesTag).self })
      const unfit = new StorageError({ operation: "read", reason: "unfit", path: null, cause: "a row" })
      yield* endUnreadable({ graceMs: 1, worker, claim }, unfit)
      assert.deepStrictEqual(yield* stored(task.id), ["failed", commit])
    }).pipe(Effect.provide(layer))
  )
})
