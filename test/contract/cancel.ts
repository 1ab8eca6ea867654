/** What every queue promises of a cancel. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { TaskId } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { completed, ended, submit, submitAndClaim } from "../support/tasks.ts"

const asked = { reason: "no longer needed", by: "tester" }

export const cancelContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue.cancel over ${subject.name}`, () => {
    test(
      "ends a queued task immediately",
      Effect.gen(function* () {
        const task = yield* submit()
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* (yield* Queue).cancel(task.id, asked), "ended")
        const tasks = yield* Tasks
        assert.deepStrictEqual(yield* tasks.get(task.id), {
          ...task,
          status: "cancelled",
          cause: "cancelled",
          endedAt: 2000,
          cancelRequestedAt: 2000,
          cancelReason: asked.reason,
          cancelledBy: asked.by
        })
        const [event] = yield* tasks.events(0, 10)
        assert.deepStrictEqual([event?.id, event?.status, event?.cause], [task.id, "cancelled", "cancelled"])
      })
    )

    test(
      "asks the worker of a running task, and the first to ask is on record",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const { task, claim } = yield* submitAndClaim()
        assert.deepStrictEqual(yield* tasks.cancelRequested, [])
        assert.strictEqual(yield* queue.cancel(task.id, asked), "requested")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* queue.cancel(task.id, { reason: "me too", by: "other" }), "requested")
        assert.deepStrictEqual(yield* tasks.get(task.id), {
          ...task,
          cancelRequestedAt: 0,
          cancelReason: asked.reason,
          cancelledBy: asked.by
        })
        assert.deepStrictEqual(yield* tasks.cancelRequested, [task.id])
        yield* queue.finish(task.id, ended, claim)
        assert.strictEqual((yield* tasks.get(task.id)).cancelledBy, asked.by)
        assert.deepStrictEqual(yield* tasks.cancelRequested, [])
      })
    )

    test(
      "leaves alone what is over, and does not know what is not there",
      Effect.gen(function* () {
        const queue = yield* Queue
        const { task, claim } = yield* submitAndClaim()
        yield* queue.finish(task.id, completed, claim)
        const before = yield* (yield* Tasks).get(task.id)
        assert.strictEqual(yield* queue.cancel(task.id, asked), "over")
        assert.deepStrictEqual(yield* (yield* Tasks).get(task.id), before)
        const error = yield* Effect.flip(queue.cancel(TaskId.make("zzzzzzzzzzzz"), asked))
        assert.strictEqual(error._tag, "TaskNotFound")
      })
    )
  })
}
