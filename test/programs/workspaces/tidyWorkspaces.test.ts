/** What a worker deletes by its age, while the clock is set. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { WorkspaceId } from "../../../src/domain/workspace/WorkspaceId.ts"
import { tidyWorkspaces } from "../../../src/programs/workspaces/tidyWorkspaces.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { SettingsStore } from "../../../src/services/SettingsStore.ts"
import { Workspaces } from "../../../src/services/Workspaces.ts"
import { claimNext, completed, submit } from "../../support/tasks.ts"
import { withWall } from "../../support/wall.ts"
import { layer } from "../world.ts"

const day = 24 * 3_600_000
const self = { pid: 10, startTime: "1", bootId: "b" }
const trashed = WorkspaceId.make("wwwwwwwwwww1")
const idle = WorkspaceId.make("wwwwwwwwwww2")

/** A workspace whose task has ended. */
const used = (id: WorkspaceId) =>
  Effect.gen(function* () {
    const base = "a".repeat(40)
    const path = `/state/workspaces/${id}/shop`
    yield* submit({
      workspace: { kind: "new", id, home: "/home/ann/shop", subdirectory: "", base, baseKind: "head", path }
    })
    const { claim, task } = yield* claimNext()
    yield* (yield* Queue).finish(task.id, completed, claim)
  })

const states = Effect.flatMap(Workspaces, (workspaces) =>
  Effect.forEach([trashed, idle], (id) => Effect.map(workspaces.get(id), ({ state }) => state))
)

/** One in the trash and one that no task needs. What they become in the fake of Git, which has no files, is `gone`. */
const arrange = Effect.gen(function* () {
  yield* TestClock.setTime(30 * day)
  const workspaces = yield* Workspaces
  yield* used(trashed)
  yield* used(idle)
  yield* workspaces.trashed(yield* workspaces.reclaiming(trashed, self, null), "/trash/1", null)
  return yield* states
})

const begin = Effect.gen(function* () {
  yield* Effect.fork(tidyWorkspaces(yield* (yield* SettingsStore).get))
})

describe("a clock that is eight days ahead for a moment", () => {
  for (const [name, isAhead] of [
    ["before a worker starts", true],
    ["after a worker has started", false]
  ] as const) {
    it.scoped(`${name} neither erases the trash nor reclaims a workspace; one that stays there does`, () =>
      withWall((set) =>
        Effect.gen(function* () {
          const before = yield* arrange
          assert.strictEqual(before[0], "trashed")
          if (isAhead) yield* set(8 * day)
          yield* begin
          yield* TestClock.adjust("20 seconds")
          if (!isAhead) yield* set(8 * day)
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(yield* states, before)
          yield* set(-8 * day)
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(yield* states, before)
          yield* set(8 * day)
          yield* begin
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(yield* states, ["gone", "gone"])
        })
      ).pipe(Effect.provide(layer()))
    )
  }
})

/** A worker that has nothing to do leaves soon. */
const shortLived = Effect.gen(function* () {
  const fiber = yield* Effect.fork(tidyWorkspaces(yield* (yield* SettingsStore).get))
  yield* TestClock.adjust("2 seconds")
  yield* Fiber.interrupt(fiber)
})

describe("workers that each live for two seconds", () => {
  it.scoped("erase the trash and reclaim a workspace once the clock was not set since an earlier one", () =>
    Effect.gen(function* () {
      const before = yield* arrange
      yield* shortLived
      yield* TestClock.adjust("8 days")
      assert.deepStrictEqual(yield* states, before)
      yield* shortLived
      assert.deepStrictEqual(yield* states, ["gone", "gone"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("neither erase nor reclaim where the clock was set since, until it has stayed so for a minute", () =>
    withWall((set) =>
      Effect.gen(function* () {
        const before = yield* arrange
        yield* shortLived
        yield* TestClock.adjust("1 hour")
        yield* set(8 * day)
        yield* shortLived
        yield* TestClock.adjust("30 seconds")
        yield* shortLived
        assert.deepStrictEqual(yield* states, before)
        yield* set(-8 * day)
        yield* shortLived
        yield* TestClock.adjust("1 hour")
        yield* shortLived
        assert.deepStrictEqual(yield* states, before)
        yield* set(8 * day)
        yield* shortLived
        yield* TestClock.adjust("1 minute")
        yield* shortLived
        assert.deepStrictEqual(yield* states, ["gone", "gone"])
      })
    ).pipe(Effect.provide(layer()))
  )
})
