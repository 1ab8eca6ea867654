/** Cancelling: alone, with the whole tree, and with agents that delegate once more on their way out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { cancel, descendants } from "../../../src/programs/tasks/cancel.ts"
import { Ids } from "../../../src/services/Ids.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { claimNext, completed, ended, failed, newTask, submit } from "../../support/tasks.ts"
import { finish, layer, quietly } from "../world.ts"

const options = { ...quietly, tree: false, reason: "wrong branch", by: "tester" }

const statusOf = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.summary(id), ({ status }) => status))

describe("cancel", () => {
  it.effect("ends a queued task immediately and tells who asked and why", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const { tasks } = yield* cancel([id, id], options)
      assert.strictEqual(tasks.length, 1)
      const [only] = tasks
      assert.deepStrictEqual(
        [only?.answer, only?.task.status, only?.task.cancelReason, only?.task.cancelledBy],
        ["ended", "cancelled", "wrong branch", "tester"]
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("returns for a running task only when it has ended, whichever way", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      yield* claimNext()
      const fiber = yield* Effect.fork(cancel([id], options))
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* finish(id, completed)
      yield* TestClock.adjust("400 millis")
      const { tasks } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([tasks[0]?.answer, tasks[0]?.task.status], ["requested", "completed"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("leaves delegated tasks alone unless asked for the tree", () =>
    Effect.gen(function* () {
      const root = yield* submit()
      const child = yield* submit({ parentId: root.id })
      yield* cancel([root.id], options)
      assert.strictEqual(yield* statusOf(child.id), "queued")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("ends the tree, below tasks that are over and what is delegated meanwhile too", () =>
    Effect.gen(function* () {
      const root = yield* submit({ priority: "P0" })
      yield* claimNext()
      const middle = yield* submit({ parentId: root.id })
      yield* claimNext()
      yield* finish(middle.id, completed)
      const leaf = yield* submit({ parentId: middle.id })
      const other = yield* submit()
      const fiber = yield* Effect.fork(cancel([root.id], { ...options, tree: true }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* statusOf(leaf.id), "cancelled")
      const late = yield* submit({ parentId: root.id })
      yield* finish(root.id, ended)
      yield* TestClock.adjust("400 millis")
      const { tasks, truncated } = yield* Fiber.join(fiber)
      assert.isFalse(truncated)
      assert.deepStrictEqual(
        tasks.map(({ answer, task }) => [task.id, answer, task.status]).sort(),
        [
          [root.id, "requested", "cancelled"],
          [middle.id, "over", "completed"],
          [leaf.id, "ended", "cancelled"],
          [late.id, "ended", "cancelled"]
        ].sort()
      )
      assert.strictEqual(yield* statusOf(other.id), "queued")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("ends what an automatic retry delegated too, and reports the work once", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* submit({ maxRetries: 1, priority: "P0" })
      const { claim } = yield* claimNext()
      const child = yield* submit({ parentId: first.id })
      const again = newTask({ retryOf: first.id, priority: "P0" })
      const { retriedBy } = yield* queue.finish(first.id, failed, claim, again)
      const second = yield* claimNext()
      assert.strictEqual(second.task.id, retriedBy)
      const grandchild = yield* submit({ parentId: second.task.id })
      const fiber = yield* Effect.fork(cancel([first.id], { ...options, tree: true }))
      yield* TestClock.adjust("1 second")
      yield* finish(second.task.id, ended)
      yield* TestClock.adjust("400 millis")
      const { tasks } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        tasks.map(({ answer, task }) => [task.id, answer, task.status]).sort(),
        [
          [second.task.id, "requested", "cancelled"],
          [child.id, "ended", "cancelled"],
          [grandchild.id, "ended", "cancelled"]
        ].sort()
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("finds more children than one page holds", () =>
    Effect.gen(function* () {
      const ids = yield* Ids
      const root = yield* ids.task
      const one = yield* submit()
      const summary = yield* (yield* Tasks).summary(one.id)
      // Newest first, as pages come.
      const children = (yield* Effect.replicateEffect(ids.task, 2500)).map((id, at) => ({
        ...summary,
        id,
        seq: 2500 - at
      }))
      const many = Layer.mock(Tasks, {
        summary: (id) => Effect.succeed({ ...summary, id }),
        children: (id) => Effect.succeed(id === root ? children.slice(-1000).map((child) => child.id) : []),
        list: ({ before, limit, parentId }) => {
          const all = parentId === root ? children.filter(({ seq }) => before === null || seq < before) : []
          return Effect.succeed({ tasks: all.slice(0, limit), more: Math.min(1000, Math.max(0, all.length - limit)) })
        }
      })
      const found = yield* Effect.provide(descendants([root]), many)
      assert.isFalse(found.truncated)
      assert.strictEqual(new Set(found.ids).size, 2501)
    }).pipe(Effect.provide(layer()))
  )
})
