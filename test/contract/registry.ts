/** What every worker registry promises: who runs what, handed over by compare-and-set. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { TaskId } from "../../src/domain/task/Task.ts"
import { type Claim, ClaimId } from "../../src/domain/worker/Claim.ts"
import type { ProcessIdentity } from "../../src/domain/worker/Process.ts"
import { isSame, isStill } from "../../src/domain/worker/Stillness.ts"
import type { Worker, WorkerId } from "../../src/domain/worker/Worker.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, submit, submitAndClaim, workerA, workerB } from "../support/tasks.ts"

const shim: ProcessIdentity = { pid: 4711, startTime: "123456", bootId: "boot-1" }

const worker = (id: WorkerId, startedAt: number): Worker => ({
  id,
  kind: "on-demand",
  process: { pid: 300 + startedAt, startTime: "99", bootId: "boot-1" },
  version: "0.1.0",
  schema: 1,
  uid: 1000,
  file: null,
  startedAt,
  seenAt: startedAt
})

export const claimContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`WorkerRegistry workers over ${subject.name}`, () => {
    test(
      "lists claim rows, oldest claim first",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        assert.deepStrictEqual(yield* registry.claims, [])
        yield* submit()
        yield* submit()
        const first = yield* claimNext()
        yield* TestClock.adjust("1 second")
        const second = yield* claimNext({ workerId: workerB })
        assert.deepStrictEqual(yield* registry.claims, [first.claim, second.claim])
        assert.deepStrictEqual(yield* registry.claimOf(second.task.id), Option.some(second.claim))
        assert.deepStrictEqual(yield* registry.claimOf(TaskId.make("zzzzzzzzzzzz")), Option.none())
      })
    )

    test(
      "tells an idle worker in one answer whether anything changed",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const queue = yield* Queue
        yield* registry.register(worker(workerA, 1))
        const empty = yield* registry.stillness(workerA)
        assert.deepInclude(empty, { listed: 1, workers: 1, open: 0, messages: 0, deliveries: 0, nextFireAt: null })
        assert.isTrue(isStill(empty, false))
        // It leaves instead.
        assert.isFalse(isStill(empty, true))
        assert.strictEqual((yield* registry.stillness(workerB)).listed, 0)
        yield* registry.register(worker(workerB, 2))
        const two = yield* registry.stillness(workerA)
        assert.isTrue(isSame(two, empty, false))
        assert.isFalse(isSame(two, empty, true))
        const { claim, task } = yield* submitAndClaim()
        assert.strictEqual((yield* registry.stillness(workerA)).open, 1)
        assert.isFalse(isStill(yield* registry.stillness(workerA), false))
        yield* queue.finish(task.id, completed, claim)
        const after = yield* registry.stillness(workerA)
        assert.isTrue(isStill(after, false))
        assert.isFalse(isSame(after, two, false))
      })
    )

    test(
      "records the shim's identity",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, claim } = yield* submitAndClaim()
        yield* TestClock.adjust("2 seconds")
        const running = yield* registry.started(claim, shim)
        assert.deepStrictEqual(running, { ...claim, state: "running", process: shim, runningAt: 2000 })
        assert.deepStrictEqual(yield* registry.claimOf(task.id), Option.some(running))
      })
    )

    test(
      "keeps the first cause of a stop",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, claim } = yield* submitAndClaim()
        yield* TestClock.adjust("1 second")
        const first = yield* registry.stopping(claim, "timeout")
        assert.deepStrictEqual(first, { ...claim, stopCause: "timeout", stopAt: 1000 })
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* registry.stopping(claim, "cancelled"), first)
        assert.deepStrictEqual(yield* registry.claimOf(task.id), Option.some(first))
      })
    )

    test(
      "moves the end of a timeout later, and makes none where there is no timeout",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* submit({ timeoutMs: 1000 })
        yield* submit()
        yield* submit({ timeoutMs: Number.MAX_SAFE_INTEGER - 500 })
        const limited = (yield* claimNext({ uptimeMs: 400 })).claim
        const free = (yield* claimNext()).claim
        const endless = (yield* claimNext()).claim
        assert.deepStrictEqual(yield* registry.postpone(limited, 7200), { ...limited, deadlineUptime: 8600 })
        assert.deepStrictEqual(yield* registry.postpone(free, 7200), free)
        assert.strictEqual((yield* registry.postpone(endless, 7200)).deadlineUptime, Number.MAX_SAFE_INTEGER)
      })
    )

    test(
      "keeps that a task is frozen from before the first process is stopped, and moves its timeout by that time",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const tasks = yield* Tasks
        yield* submit({ timeoutMs: 1000 })
        const { claim, task } = yield* claimNext({ uptimeMs: 400 })
        const freezing = yield* registry.freezing(claim, 900.7)
        assert.deepStrictEqual(freezing, { ...claim, frozenUptime: 900 })
        assert.deepStrictEqual(yield* registry.freezing(claim, 950), freezing)
        assert.isNull((yield* tasks.summary(task.id)).frozenAt)
        yield* TestClock.adjust("2 seconds")
        yield* registry.frozen(claim)
        yield* TestClock.adjust("2 seconds")
        yield* registry.frozen(claim)
        assert.strictEqual((yield* tasks.summary(task.id)).frozenAt, 2000)
        const thawed = { ...claim, deadlineUptime: 1400 + 4000 }
        assert.deepStrictEqual(yield* registry.thawed(claim, 4900), thawed)
        assert.deepStrictEqual(yield* registry.thawed(claim, 9000), thawed)
        assert.isNull((yield* tasks.summary(task.id)).frozenAt)
      })
    )

    for (const [how, giveUp] of [
      ["ends", (claim: Claim) => Effect.flatMap(Queue, (queue) => queue.finish(claim.taskId, completed, claim))],
      ["goes back to the queue", (claim: Claim) => Effect.flatMap(Queue, (queue) => queue.requeue(claim))]
    ] as const) {
      test(
        `a frozen task that ${how} is not frozen any more`,
        Effect.gen(function* () {
          const registry = yield* WorkerRegistry
          const { claim, task } = yield* submitAndClaim()
          yield* registry.freezing(claim, 5)
          yield* registry.frozen(claim)
          yield* giveUp(claim)
          assert.isNull((yield* (yield* Tasks).summary(task.id)).frozenAt)
        })
      )
    }

    test(
      "refuses a caller that does not hold the claim",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, claim } = yield* submitAndClaim()
        const strangers = [
          { claimId: claim.claimId, workerId: workerB },
          { claimId: ClaimId.make("0".repeat(16)), workerId: workerA }
        ]
        for (const stranger of strangers) {
          assert.strictEqual((yield* Effect.flip(registry.started(stranger, shim)))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.stopping(stranger, "timeout")))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.postpone(stranger, 1)))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.freezing(stranger, 1)))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.frozen(stranger)))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.thawed(stranger, 1)))._tag, "TaskStateConflict")
        }
        assert.deepStrictEqual(yield* registry.claimOf(task.id), Option.some(claim))
        yield* (yield* Queue).finish(task.id, completed, claim)
        assert.strictEqual((yield* Effect.flip(registry.started(claim, shim)))._tag, "TaskStateConflict")
        assert.strictEqual((yield* Effect.flip(registry.stopping(claim, "timeout")))._tag, "TaskStateConflict")
      })
    )

    test(
      "keeps what kept a task from starting, over all of its claims",
      Effect.gen(function* () {
        const queue = yield* Queue
        const registry = yield* WorkerRegistry
        const { task, claim } = yield* submitAndClaim()
        const other = yield* submitAndClaim()
        yield* registry.startFailed(claim, null)
        assert.deepStrictEqual(yield* registry.startProblem(task.id), Option.none())
        yield* registry.startFailed(claim, "no room")
        yield* registry.startFailed(claim, null)
        assert.deepStrictEqual(yield* registry.startProblem(task.id), Option.some({ count: 2, message: "no room" }))
        yield* queue.requeue(claim)
        yield* TestClock.adjust("1 second")
        const again = yield* claimNext()
        assert.strictEqual(again.task.id, task.id)
        yield* registry.startFailed(again.claim, "no memory")
        assert.deepStrictEqual(yield* registry.startProblem(task.id), Option.some({ count: 3, message: "no memory" }))
        assert.deepStrictEqual(yield* registry.startProblem(other.task.id), Option.none())
      })
    )

    test(
      "hands a row over to one adopter, with all that is in it",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, claim } = yield* submitAndClaim({ timeoutMs: 5000 })
        yield* registry.started(claim, shim)
        const before = yield* registry.stopping(claim, "stalled")
        const { claimId } = claim
        const answers = yield* Effect.forEach([1, 2, 3, 4], () => registry.adopt(claimId, workerA, workerB), {
          concurrency: "unbounded"
        })
        assert.strictEqual(answers.filter((adopted) => adopted).length, 1)
        assert.deepStrictEqual(yield* registry.claimOf(task.id), Option.some({ ...before, workerId: workerB }))
        const late = yield* Effect.flip(registry.started({ claimId, workerId: workerA }, shim))
        assert.strictEqual(late._tag, "TaskStateConflict")
        yield* (yield* Queue).finish(task.id, completed, { claimId, workerId: workerB })
        assert.isFalse(yield* registry.adopt(claimId, workerB, workerA))
      })
    )
  })
}

export const workerContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`WorkerRegistry workers over ${subject.name}`, () => {
    const older = worker(workerB, 1)
    const newer = worker(workerA, 2)

    test(
      "lists registered workers, oldest first",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        assert.deepStrictEqual(yield* registry.workers, [])
        yield* registry.register(newer)
        yield* registry.register(older)
        assert.deepStrictEqual(yield* registry.workers, [older, newer])
      })
    )

    test(
      "lets one leave always, and keeps its claim rows to be adopted",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        yield* registry.register(older)
        const { claim } = yield* submitAndClaim()
        assert.isTrue(yield* registry.leave(workerA, "always"))
        assert.deepStrictEqual(yield* registry.workers, [older])
        assert.deepStrictEqual(yield* registry.claims, [claim])
      })
    )

    test(
      "lets one leave when idle only if nothing is queued or running",
      Effect.gen(function* () {
        const queue = yield* Queue
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        yield* submit({ notBefore: 1_000_000 })
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        const { task, claim } = yield* submitAndClaim()
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        yield* TestClock.adjust("1000 seconds")
        const delayed = yield* claimNext()
        yield* queue.finish(delayed.task.id, completed, delayed.claim)
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        assert.deepStrictEqual(yield* registry.workers, [newer])
        yield* queue.finish(task.id, completed, claim)
        assert.isTrue(yield* registry.leave(workerA, "idle"))
        assert.deepStrictEqual(yield* registry.workers, [])
      })
    )

    test(
      "lets one leave for another only while that one is registered",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        assert.isFalse(yield* registry.leave(workerA, { superseded: workerB }))
        yield* registry.register(older)
        assert.isTrue(yield* registry.leave(workerA, { superseded: workerB }))
        assert.isFalse(yield* registry.leave(workerB, { superseded: workerA }))
        assert.deepStrictEqual(yield* registry.workers, [older])
      })
    )
  })
}
