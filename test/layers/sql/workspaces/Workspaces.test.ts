/** What the store of workspaces promises. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Workspace, WorkspaceRequest } from "../../../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../../src/domain/workspace/WorkspaceId.ts"
import type { Queue } from "../../../../src/services/Queue.ts"
import { Queue as QueueTag } from "../../../../src/services/Queue.ts"
import { WorkerWorkspaces } from "../../../../src/services/WorkerWorkspaces.ts"
import { Workspaces } from "../../../../src/services/Workspaces.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, claimOptions, completed, submit } from "../../../support/tasks.ts"

const test = (name: string, effect: Effect.Effect<unknown, unknown, Workspaces | WorkerWorkspaces | Queue>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

const idOf = (number: number) => WorkspaceId.make(String(number).padStart(12, "w"))
const base = "a".repeat(40)

const fresh = (number: number): WorkspaceRequest => ({
  kind: "new",
  id: idOf(number),
  home: "/home/ann/shop",
  subdirectory: "",
  base,
  baseKind: "head",
  path: `/state/workspaces/${number}/shop`
})

const self = { pid: 10, startTime: "1", bootId: "b" }
const other = { pid: 11, startTime: "1", bootId: "b" }

const existing = (number: number): WorkspaceRequest => ({ kind: "existing", id: idOf(number), startCommit: null })

const endNext = Effect.gen(function* () {
  const queue = yield* QueueTag
  const { claim, task } = yield* claimNext()
  yield* queue.finish(task.id, completed, { claimId: claim.claimId, workerId: claim.workerId })
  return task
})

const reclaim = (number: number) =>
  Effect.gen(function* () {
    const workspaces = yield* Workspaces
    const workspace = yield* workspaces.reclaiming(idOf(number), self, null)
    assert.isTrue(yield* workspaces.trashed(workspace, `/trash/${number}`, null))
  })

const move = (workspace: Workspace) =>
  Effect.flatMap(Workspaces, (workspaces) => workspaces.trashed(workspace, "/trash/1", null))

const lose = (workspace: Workspace) => Effect.flatMap(Workspaces, (workspaces) => workspaces.gone(workspace))

describe("Workspaces", () => {
  test(
    "tell one task of each submitter",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const lead = yield* submit()
      const first = yield* submit({ workspace: fresh(1) })
      yield* submit({ workspace: existing(1) })
      yield* submit({ workspace: fresh(2) })
      assert.strictEqual((yield* workspaces.submitted(idOf(1))).length, 1)
      const below = yield* submit({ workspace: existing(1), parentId: lead.id, depth: 1 })
      const submitted = yield* workspaces.submitted(idOf(1))
      assert.strictEqual(submitted.length, 2)
      assert.include(submitted, below.id)
      assert.notInclude(submitted, lead.id)
      assert.isNull(first.parentId)
      assert.deepStrictEqual(yield* workspaces.submitted(idOf(3)), [])
    })
  )

  test(
    "are stored with the first task, and each has the smallest free slot",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const first = yield* submit({ workspace: fresh(1) })
      yield* submit({ workspace: fresh(2) })
      yield* submit({ workspace: existing(1) })
      const found = Option.getOrThrow(yield* workspaces.ofTask(first.id))
      assert.deepInclude(found.workspace, { id: idOf(1), state: "planned", slot: 1, base, kept: false, mounted: null })
      assert.isNull(found.startCommit)
      assert.deepStrictEqual(
        (yield* workspaces.list({ state: [], limit: 10 })).map(({ workspace }) => [workspace.id, workspace.slot]),
        [
          [idOf(1), 1],
          [idOf(2), 2]
        ]
      )
      yield* Effect.repeatN(endNext, 2)
      yield* reclaim(1)
      yield* submit({ workspace: fresh(3) })
      assert.strictEqual((yield* workspaces.get(idOf(3))).slot, 1)
      assert.isNull((yield* workspaces.get(idOf(1))).slot)
    })
  )

  test(
    "hold one running task at a time, in the order of arrival, and keep no other workspace waiting",
    Effect.gen(function* () {
      const queue = yield* QueueTag
      const first = yield* submit({ workspace: fresh(1) })
      const second = yield* submit({ workspace: existing(1) })
      const other = yield* submit({ workspace: fresh(2) })
      const claimed = yield* claimNext()
      assert.strictEqual(claimed.task.id, first.id)
      assert.strictEqual((yield* claimNext()).task.id, other.id)
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
      yield* queue.finish(first.id, completed, { claimId: claimed.claim.claimId, workerId: claimed.claim.workerId })
      assert.strictEqual((yield* claimNext()).task.id, second.id)
    })
  )

  test(
    "are not reclaimed while they are needed or kept, and come back for a task that continues",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const own = yield* WorkerWorkspaces
      const task = yield* submit({ workspace: fresh(1) })
      assert.strictEqual((yield* Effect.flip(workspaces.reclaiming(idOf(1), self, null)))._tag, "WorkspaceBusy")
      yield* endNext
      yield* own.ready(idOf(1), true)
      yield* workspaces.keep(idOf(1), true)
      assert.include((yield* Effect.flip(workspaces.reclaiming(idOf(1), self, null))).message, "it is kept")
      yield* workspaces.keep(idOf(1), false)
      yield* reclaim(1)
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "trashed", trashPath: "/trash/1", mounted: true })
      yield* submit({ workspace: existing(1) })
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "planned", trashPath: "/trash/1", slot: 1 })
      yield* own.ready(idOf(1), false)
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "ready", trashPath: null, mounted: false })
      assert.strictEqual(yield* workspaces.resolve(task.id), idOf(1))
      assert.strictEqual(yield* workspaces.resolve("@last"), idOf(1))
      assert.strictEqual((yield* Effect.flip(workspaces.resolve("zz")))._tag, "WorkspaceNotFound")
    })
  )

  test(
    "are not claimed into while they are on their way to the trash",
    Effect.gen(function* () {
      const queue = yield* QueueTag
      const workspaces = yield* Workspaces
      yield* submit({ workspace: fresh(1) })
      yield* endNext
      const workspace = yield* workspaces.reclaiming(idOf(1), self, null)
      yield* TestClock.adjust(1000)
      yield* submit({ workspace: existing(1) })
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
      assert.isTrue(yield* workspaces.returned(workspace, "a process works in it"))
      assert.strictEqual((yield* workspaces.get(idOf(1))).problem, "a process works in it")
      yield* claimNext()
    })
  )

  test(
    "are idle once nothing has needed them for a time, and leave the trash later",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const own = yield* WorkerWorkspaces
      yield* submit({ workspace: fresh(1) })
      yield* submit({ workspace: fresh(2) })
      yield* endNext
      yield* TestClock.setTime(10_000)
      const idle = (before: number) => Effect.map(own.idle(before, 10), (found) => found.map(({ id }) => id))
      assert.deepStrictEqual(yield* idle(0), [])
      assert.deepStrictEqual(yield* idle(5000), [idOf(1)])
      yield* reclaim(1)
      assert.deepStrictEqual(yield* idle(20_000), [])
      assert.deepStrictEqual(yield* own.trash(10_000, 10), [])
      assert.lengthOf(yield* own.trash(10_002, 10), 1)
      assert.isTrue(yield* workspaces.gone(yield* workspaces.get(idOf(1))))
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "gone", trashPath: null })
      assert.isTrue(yield* workspaces.restored(yield* workspaces.get(idOf(1))))
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "ready", slot: 1 })
    })
  )

  test(
    "find a reclaim that was killed",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const own = yield* WorkerWorkspaces
      yield* submit({ workspace: fresh(1) })
      yield* endNext
      yield* workspaces.reclaiming(idOf(1), self, null)
      assert.lengthOf(yield* own.idle(100, 10), 0)
      assert.lengthOf(yield* own.unfinished(10), 1)
      assert.deepStrictEqual(yield* workspaces.reclaimer(idOf(1)), Option.some({ reclaimer: self, since: 1 }))
      assert.include((yield* Effect.flip(workspaces.reclaiming(idOf(1), other, null))).message, "another process")
      assert.include((yield* Effect.flip(workspaces.reclaiming(idOf(1), other, other))).message, "another process")
      yield* workspaces.reclaiming(idOf(1), other, self)
      assert.include((yield* Effect.flip(workspaces.reclaiming(idOf(1), other, self))).message, "another process")
    })
  )

  for (const [step, store, trashPath] of [
    ["renamed", (workspace: Workspace) => move(workspace), "/trash/1"],
    ["found to have no files", (workspace: Workspace) => lose(workspace), null]
  ] as const) {
    test(
      `come back for a task that came while they were ${step}`,
      Effect.gen(function* () {
        const queue = yield* QueueTag
        const workspaces = yield* Workspaces
        yield* submit({ workspace: fresh(1) })
        yield* endNext
        const workspace = yield* workspaces.reclaiming(idOf(1), self, null)
        yield* submit({ workspace: existing(1) })
        assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
        assert.isTrue(yield* store(workspace))
        assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "planned", trashPath, slot: 1 })
        yield* claimNext()
      })
    )
  }

  test(
    "are taken over from a reclaim that was killed, also while a task waits or after they are kept",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const own = yield* WorkerWorkspaces
      yield* submit({ workspace: fresh(1) })
      yield* endNext
      yield* TestClock.setTime(10_000)
      const first = yield* workspaces.reclaiming(idOf(1), self, null)
      yield* submit({ workspace: existing(1) })
      yield* workspaces.keep(idOf(1), true)
      assert.deepStrictEqual(
        (yield* own.unfinished(10)).map(({ id }) => id),
        [idOf(1)]
      )
      const second = yield* workspaces.reclaiming(idOf(1), other, self)
      assert.isTrue(second.kept)
      // In the same millisecond: only one of the two stores how it ended.
      assert.isFalse(yield* workspaces.returned(first, "late"))
      assert.isFalse(yield* move(first))
      assert.isTrue(yield* workspaces.returned(second, "it is kept"))
      assert.deepInclude(yield* workspaces.get(idOf(1)), { state: "ready", problem: "it is kept" })
    })
  )

  test(
    "stay as they are for a process that stopped before others restored and reclaimed them",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      yield* submit({ workspace: fresh(1) })
      yield* endNext
      yield* reclaim(1)
      const old = yield* workspaces.get(idOf(1))
      assert.isTrue(yield* workspaces.restored(old))
      yield* TestClock.adjust(1)
      for (const late of [workspaces.restored, workspaces.gone, move]) {
        assert.isFalse(yield* late(old))
        assert.strictEqual((yield* workspaces.get(idOf(1))).state, "ready")
      }
      yield* workspaces.reclaiming(idOf(1), self, null)
      assert.isFalse(yield* workspaces.gone(old))
      yield* move(yield* workspaces.reclaiming(idOf(1), other, self))
      for (const late of [workspaces.restored, workspaces.gone]) assert.isFalse(yield* late(old))
      assert.strictEqual((yield* workspaces.get(idOf(1))).state, "trashed")
    })
  )

  test(
    "hold one result for each task, and the newest as their seal",
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const own = yield* WorkerWorkspaces
      const task = yield* submit({ workspace: fresh(1) })
      const result = {
        taskId: task.id,
        workspaceId: idOf(1),
        base,
        commit: "b".repeat(40),
        tree: "c".repeat(40),
        files: 2,
        insertions: 3,
        deletions: 1,
        commits: 1,
        nested: ["in"],
        home: false,
        problem: "read-only",
        sealedAt: 5
      }
      yield* own.sealed(result)
      assert.deepStrictEqual(Option.getOrThrow(yield* workspaces.result(task.id)), result)
      const again = { ...result, home: true, problem: null, sealedAt: 6 }
      yield* own.sealed(again)
      assert.deepStrictEqual(Option.getOrThrow(yield* workspaces.result(task.id)), again)
      assert.deepInclude(yield* workspaces.get(idOf(1)), { lastSeal: result.commit, lastSealedAt: 6, problem: null })
    })
  )
})
