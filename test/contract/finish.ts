/** What every queue promises of the end: once, by the holder, with everything in one step. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { outcome } from "../../src/domain/Outcome.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { ClaimId } from "../../src/domain/Worker.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { completed, failed, runtimeA, runtimeB, submit, submitAndClaim } from "../support/tasks.ts"

export const finishContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue.finish over ${subject.name}`, () => {
    test(
      "writes outcome, worker row, count and outbox row together",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const claim = yield* submitAndClaim()
        const { id } = claim.task
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
        const event = yield* queue.finish(id, ending, claim.worker)
        assert.deepStrictEqual(event, {
          seq: event.seq,
          kind: "task",
          id,
          status: "failed",
          cause: "agent-error",
          at: 7000,
          retriedBy: null
        })
        const expected = { ...claim.task, ...ending, endedAt: 7000, bytesStored: 4, bytesDropped: 3 }
        assert.deepStrictEqual(yield* tasks.get(id), expected)
        assert.deepStrictEqual(yield* tasks.events(0, 10), [event])
        assert.strictEqual(yield* tasks.lastEvent, event.seq)
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).workers, [])
        const counts = yield* tasks.counts
        assert.deepStrictEqual([counts.running, counts.failed], [0, 1])
      })
    )

    test(
      "ends a task once only",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claim = yield* submitAndClaim()
        yield* queue.finish(claim.task.id, completed, claim.worker)
        for (const holder of [claim.worker, null]) {
          const error = yield* Effect.flip(queue.finish(claim.task.id, failed, holder))
          assert(error._tag === "TaskStateConflict")
          assert.deepStrictEqual([error.id, error.actual], [claim.task.id, "completed"])
        }
        assert.strictEqual((yield* (yield* Tasks).get(claim.task.id)).status, "completed")
        assert.strictEqual((yield* (yield* Tasks).events(0, 10)).length, 1)
      })
    )

    test(
      "lets one of many win",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claim = yield* submitAndClaim()
        const ends = yield* Effect.forEach(
          [1, 2, 3, 4, 5, 6],
          (exitCode) => Effect.either(queue.finish(claim.task.id, { ...failed, exitCode }, claim.worker)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(ends.filter(Either.isRight).length, 1)
        assert.strictEqual((yield* (yield* Tasks).events(0, 10)).length, 1)
      })
    )

    test(
      "refuses whoever does not hold the claim, and changes nothing",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claim = yield* submitAndClaim()
        const strangers = [
          { claimId: claim.worker.claimId, runtimeId: runtimeB },
          { claimId: ClaimId.make("0".repeat(16)), runtimeId: runtimeA }
        ]
        for (const stranger of strangers) {
          const error = yield* Effect.flip(queue.finish(claim.task.id, completed, stranger))
          assert.strictEqual(error._tag, "TaskStateConflict")
        }
        assert.deepStrictEqual(yield* (yield* Tasks).get(claim.task.id), claim.task)
        assert.deepStrictEqual(yield* queue.claimOf(claim.worker.claimId), Option.some(claim))
        assert.strictEqual(yield* (yield* Tasks).lastEvent, 0)
      })
    )

    test(
      "belongs to the adopter after an adoption",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claim = yield* submitAndClaim()
        const { claimId } = claim.worker
        assert.isTrue(yield* (yield* WorkerRegistry).adopt(claimId, runtimeA, runtimeB))
        const error = yield* Effect.flip(queue.finish(claim.task.id, completed, { claimId, runtimeId: runtimeA }))
        assert.strictEqual(error._tag, "TaskStateConflict")
        yield* queue.finish(claim.task.id, completed, { claimId, runtimeId: runtimeB })
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
        assert.deepStrictEqual(yield* queue.claimOf(running.worker.claimId), Option.some(running))
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
          const claim = yield* submitAndClaim({ sessionId: "ours" })
          yield* queue.finish(claim.task.id, { ...completed, sessionId: told }, claim.worker)
          assert.strictEqual((yield* tasks.get(claim.task.id)).sessionId, kept)
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
