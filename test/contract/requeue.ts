/** What every queue promises of a claim given back. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, completed, submit, submitAndClaim, workerB } from "../support/tasks.ts"

const asked = { reason: "no longer needed", by: "tester" }

export const requeueContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue.requeue over ${subject.name}`, () => {
    test(
      "puts a claimed task back in its place, as if it had never been claimed",
      Effect.gen(function* () {
        const queue = yield* Queue
        const task = yield* submit({ prompt: "first" })
        yield* submit({ prompt: "second" })
        const claimed = yield* claimNext()
        yield* queue.requeue(claimed.claim)
        assert.deepStrictEqual(yield* (yield* Tasks).get(task.id), task)
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).claims, [])
        const again = yield* claimNext()
        assert.strictEqual(again.task.id, task.id)
        assert.notStrictEqual(again.claim.claimId, claimed.claim.claimId)
        const late = yield* Effect.flip(queue.finish(task.id, completed, claimed.claim))
        assert.strictEqual(late._tag, "TaskStateConflict")
      })
    )

    test(
      "is refused to a caller that does not hold the claim",
      Effect.gen(function* () {
        const queue = yield* Queue
        const { task, claim } = yield* submitAndClaim()
        const stranger = yield* Effect.flip(queue.requeue({ claimId: claim.claimId, workerId: workerB }))
        assert.strictEqual(stranger._tag, "TaskStateConflict")
        yield* queue.finish(task.id, completed, claim)
        const over = yield* Effect.flip(queue.requeue(claim))
        assert.strictEqual(over._tag, "TaskStateConflict")
        assert.strictEqual((yield* (yield* Tasks).get(task.id)).status, "completed")
      })
    )

    test(
      "ends a task that was asked to stop meanwhile",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const { task, claim } = yield* submitAndClaim()
        yield* queue.cancel(task.id, asked)
        yield* queue.requeue(claim)
        const over = yield* tasks.get(task.id)
        assert.deepStrictEqual([over.status, over.cause, over.cancelReason], ["cancelled", "cancelled", asked.reason])
        assert.deepStrictEqual(
          (yield* tasks.events(0, 10)).map((event) => event.id),
          [task.id]
        )
        assert.deepStrictEqual(yield* queue.claim(claimOptions()), Option.none())
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).claims, [])
      })
    )
  })
}
