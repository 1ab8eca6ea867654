/** What the store of merges promises. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { type Merge, MergeId } from "../../../../src/domain/merge/Merge.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { Merges } from "../../../../src/services/Merges.ts"
import { testSql } from "../../../support/stores.ts"
import { submit } from "../../../support/tasks.ts"

const owner = { pid: 4242, startTime: "17", bootId: "boot-1" }
const other = { ...owner, pid: 4343 }

const mergeOf = (taskId: TaskId, number: number, fields: Partial<Merge> = {}): Merge => ({
  id: MergeId.make(String(number).padStart(12, "g")),
  taskId,
  home: "/home/ann/shop",
  branch: "main",
  tree: "/home/ann/shop",
  before: "a".repeat(40),
  merged: "b".repeat(40),
  state: "testing",
  checkTask: null,
  conflicts: [],
  reason: null,
  url: null,
  owner,
  createdAt: 1,
  changedAt: 1,
  ...fields
})

describe("Merges", () => {
  it.effect("are carried out one after the other in one repository", () =>
    Effect.gen(function* () {
      const merges = yield* Merges
      const { id } = yield* submit()
      const first = mergeOf(id, 1)
      assert.isTrue(yield* merges.begin(first))
      assert.isFalse(yield* merges.begin(mergeOf(id, 2)))
      const elsewhere = mergeOf(id, 3, { home: "/home/ann/other" })
      assert.isTrue(yield* merges.begin(elsewhere))
      assert.deepStrictEqual(yield* merges.allOpen, [first, elsewhere])
      yield* merges.change(first, { state: "conflict", conflicts: ["a.txt"] })
      assert.isTrue(yield* merges.begin(mergeOf(id, 2)))
      assert.deepStrictEqual(
        (yield* merges.ofTask(id)).map(({ state }) => state),
        ["testing", "testing", "conflict"]
      )
    }).pipe(Effect.provide(testSql))
  )

  it.effect("change only for their owner and from the state that it knows", () =>
    Effect.gen(function* () {
      const merges = yield* Merges
      const { id } = yield* submit()
      const merge = mergeOf(id, 1)
      yield* merges.begin(merge)
      yield* TestClock.setTime(7000)
      assert.isFalse(yield* merges.change({ ...merge, owner: other }, { state: "applying" }))
      assert.isTrue(yield* merges.change(merge, { state: "applying" }))
      assert.isFalse(yield* merges.change(merge, { state: "refused" }))
      assert.isTrue(yield* merges.change({ ...merge, state: "applying" }, { owner: other }))
      assert.isFalse(yield* merges.change({ ...merge, state: "applying" }, { state: "merged" }))
      assert.deepInclude(Option.getOrThrow(yield* merges.get(merge.id)), {
        state: "applying",
        owner: other,
        changedAt: 7000
      })
      assert.isTrue(Option.isNone(yield* merges.get(MergeId.make("gggggggggg99"))))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("that are proposed have the address of their pull request", () =>
    Effect.gen(function* () {
      const merges = yield* Merges
      const { id } = yield* submit()
      const merge = mergeOf(id, 1, { state: "proposing" })
      yield* merges.begin(merge)
      assert.strictEqual((yield* Effect.exit(merges.change(merge, { state: "proposed" })))._tag, "Failure")
      const url = "https://github.com/ann/shop/pull/7"
      assert.isTrue(yield* merges.change(merge, { state: "proposed", url }))
      assert.deepInclude(Option.getOrThrow(yield* merges.get(merge.id)), { state: "proposed", url, reason: null })
    }).pipe(Effect.provide(testSql))
  )
})
