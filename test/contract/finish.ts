/** What every queue promises of the end: once, by the holder, with everything in one step. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { ClaimId } from "../../src/domain/worker/Claim.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { completed, failed, heldBy, submit, submitAndClaim, workerA, workerB } from "../support/tasks.ts"

export const finishContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue.finish over ${subject.name}`, () => {
    test(
      "writes outcome, claim row, count and outbox row together",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const claimed = yield* submitAndClaim()
        const { id } = claimed.task
        const bytes = new TextEncoder().encode("printed")
        const output = yield* OutputStore
        yield* output.append({ taskId: id, stream: "stdout", offset: 0, bytes }, { cap: 4 })
        yield* TestClock.adjust("7 seconds")
        const ending = outcome({
          status: "failed",
          cause: "agent-error",
          exitCode: 0,
          signal: null,
          error: "the limit is reached; wait",
          failureClass: "usage-limit",
          failureResetAt: 99_000,
          sessionId: "s-1",
          answer: "half of it 漢字",
          usage: {
            inputTokens: 10,
            outputTokens: 20,
            cacheReadTokens: null,
            cacheWriteTokens: 0,
            costUsd: 0.25,
            cumulative: true
          },
          leftovers: 3
        })
        const event = yield* queue.finish(id, ending, claimed.claim)
        assert.deepStrictEqual(event, {
          seq: event.seq,
          kind: "task",
          id,
          status: "failed",
          cause: "agent-error",
          at: 7000,
          retriedBy: null
        })
        const { spending: _spending, ...stored } = ending
        const expected = { ...claimed.task, ...stored, endedAt: 7000, bytesStored: 4, bytesDropped: 3 }
        assert.deepStrictEqual(yield* tasks.get(id), expected)
        assert.deepStrictEqual(yield* tasks.events(0, 10), [event])
        assert.strictEqual(yield* tasks.lastEvent, event.seq)
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).claims, [])
        const counts = yield* tasks.counts
        assert.deepStrictEqual([counts.running, counts.failed], [0, 1])
      })
    )

    test(
      "ends a task once only",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claimed = yield* submitAndClaim()
        yield* queue.finish(claimed.task.id, completed, claimed.claim)
        for (const holder of [claimed.claim, null]) {
          const error = yield* Effect.flip(queue.finish(claimed.task.id, failed, holder))
          assert(error._tag === "TaskStateConflict")
          assert.deepStrictEqual([error.id, error.actual], [claimed.task.id, "completed"])
        }
        assert.strictEqual((yield* (yield* Tasks).get(claimed.task.id)).status, "completed")
        assert.strictEqual((yield* (yield* Tasks).events(0, 10)).length, 1)
      })
    )

    test(
      "lets one of many win",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claimed = yield* submitAndClaim()
        const ends = yield* Effect.forEach(
          [1, 2, 3, 4, 5, 6],
          (exitCode) => Effect.either(queue.finish(claimed.task.id, { ...failed, exitCode }, claimed.claim)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(ends.filter(Either.isRight).length, 1)
        assert.strictEqual((yield* (yield* Tasks).events(0, 10)).length, 1)
      })
    )

    test(
      "refuses a caller that does not hold the claim, and changes nothing",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claimed = yield* submitAndClaim()
        const strangers = [
          { claimId: claimed.claim.claimId, workerId: workerB },
          { claimId: ClaimId.make("0".repeat(16)), workerId: workerA }
        ]
        for (const stranger of strangers) {
          const error = yield* Effect.flip(queue.finish(claimed.task.id, completed, stranger))
          assert.strictEqual(error._tag, "TaskStateConflict")
        }
        assert.deepStrictEqual(yield* (yield* Tasks).get(claimed.task.id), claimed.task)
        assert.deepStrictEqual(yield* queue.claimedTask(claimed.claim.claimId), heldBy(claimed))
        assert.strictEqual(yield* (yield* Tasks).lastEvent, 0)
      })
    )

    test(
      "belongs to the adopter after an adoption",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claimed = yield* submitAndClaim()
        const { claimId } = claimed.claim
        assert.isTrue(yield* (yield* WorkerRegistry).adopt(claimId, workerA, workerB))
        const error = yield* Effect.flip(queue.finish(claimed.task.id, completed, { claimId, workerId: workerA }))
        assert.strictEqual(error._tag, "TaskStateConflict")
        yield* queue.finish(claimed.task.id, completed, { claimId, workerId: workerB })
      })
    )

    test(
      "without a holder ends a queued task as the state machine allows, never a running one",
      Effect.gen(function* () {
        const queue = yield* Queue
        const queued = yield* submit()
        const error = yield* Effect.flip(queue.finish(queued.id, completed, null))
        assert(error._tag === "TaskStateConflict")
        assert.strictEqual(error.actual, "queued")
        yield* queue.finish(queued.id, outcome({ status: "failed", cause: "dependency-failed" }), null)
        const task = yield* (yield* Tasks).get(queued.id)
        assert.deepStrictEqual([task.status, task.cause, task.startedAt], ["failed", "dependency-failed", null])
        const running = yield* submitAndClaim()
        const held = yield* Effect.flip(queue.finish(running.task.id, failed, null))
        assert.strictEqual(held._tag, "TaskStateConflict")
        assert.deepStrictEqual(yield* queue.claimedTask(running.claim.claimId), heldBy(running))
      })
    )

    test(
      "keeps the session id of the submit unless the agent told another",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        for (const [told, kept] of [
          [null, "ours"],
          ["theirs", "theirs"]
        ] as const) {
          const claimed = yield* submitAndClaim({ sessionId: "ours" })
          yield* queue.finish(claimed.task.id, { ...completed, sessionId: told }, claimed.claim)
          assert.strictEqual((yield* tasks.get(claimed.task.id)).sessionId, kept)
        }
      })
    )

    test(
      "does not know a task that is not there",
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* Queue).finish(TaskId.make("zzzzzzzzzzzz"), completed, null))
        assert.strictEqual(error._tag, "TaskNotFound")
      })
    )
  })
}
