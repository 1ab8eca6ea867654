/** What every worker registry promises: who runs what, handed over by compare-and-set. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { ProcessIdentity } from "../../src/domain/Process.ts"
import type { Runtime, RuntimeId } from "../../src/domain/Runtime.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { ClaimId } from "../../src/domain/Worker.ts"
import { Queue } from "../../src/services/Queue.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, runtimeA, runtimeB, submit, submitAndClaim } from "../support/tasks.ts"

const shim: ProcessIdentity = { pid: 4711, startTime: "123456", bootId: "boot-1" }

const runtime = (id: RuntimeId, startedAt: number): Runtime => ({
  id,
  kind: "on-demand",
  process: { pid: 300 + startedAt, startTime: "99", bootId: "boot-1" },
  version: "0.1.0",
  startedAt
})

export const workerContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`WorkerRegistry workers over ${subject.name}`, () => {
    test(
      "lists worker rows, oldest claim first",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        assert.deepStrictEqual(yield* registry.workers, [])
        yield* submit()
        yield* submit()
        const first = yield* claimNext()
        yield* TestClock.adjust("1 second")
        const second = yield* claimNext({ runtimeId: runtimeB })
        assert.deepStrictEqual(yield* registry.workers, [first.worker, second.worker])
        assert.deepStrictEqual(yield* registry.workerOf(second.task.id), Option.some(second.worker))
        assert.deepStrictEqual(yield* registry.workerOf(TaskId.make("zzzzzzzzzzzz")), Option.none())
      })
    )

    test(
      "records the shim's identity",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, worker } = yield* submitAndClaim()
        yield* TestClock.adjust("2 seconds")
        const running = yield* registry.started(worker, shim)
        assert.deepStrictEqual(running, { ...worker, state: "running", process: shim, runningAt: 2000 })
        assert.deepStrictEqual(yield* registry.workerOf(task.id), Option.some(running))
      })
    )

    test(
      "keeps the first cause of a stop",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, worker } = yield* submitAndClaim()
        yield* TestClock.adjust("1 second")
        const first = yield* registry.stopping(worker, "timeout")
        assert.deepStrictEqual(first, { ...worker, stopCause: "timeout", stopAt: 1000 })
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* registry.stopping(worker, "cancelled"), first)
        assert.deepStrictEqual(yield* registry.workerOf(task.id), Option.some(first))
      })
    )

    test(
      "moves the end of a timeout later, and makes none where there is no timeout",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* submit({ timeoutMs: 1000 })
        yield* submit()
        yield* submit({ timeoutMs: Number.MAX_SAFE_INTEGER - 500 })
        const limited = (yield* claimNext({ uptimeMs: 400 })).worker
        const free = (yield* claimNext()).worker
        const endless = (yield* claimNext()).worker
        assert.deepStrictEqual(yield* registry.postpone(limited, 7200), { ...limited, deadlineUptime: 8600 })
        assert.deepStrictEqual(yield* registry.postpone(free, 7200), free)
        assert.strictEqual((yield* registry.postpone(endless, 7200)).deadlineUptime, Number.MAX_SAFE_INTEGER)
      })
    )

    test(
      "refuses whoever does not hold the claim",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, worker } = yield* submitAndClaim()
        const strangers = [
          { claimId: worker.claimId, runtimeId: runtimeB },
          { claimId: ClaimId.make("0".repeat(16)), runtimeId: runtimeA }
        ]
        for (const stranger of strangers) {
          assert.strictEqual((yield* Effect.flip(registry.started(stranger, shim)))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.stopping(stranger, "timeout")))._tag, "TaskStateConflict")
          assert.strictEqual((yield* Effect.flip(registry.postpone(stranger, 1)))._tag, "TaskStateConflict")
        }
        assert.deepStrictEqual(yield* registry.workerOf(task.id), Option.some(worker))
        yield* (yield* Queue).finish(task.id, completed, worker)
        assert.strictEqual((yield* Effect.flip(registry.started(worker, shim)))._tag, "TaskStateConflict")
        assert.strictEqual((yield* Effect.flip(registry.stopping(worker, "timeout")))._tag, "TaskStateConflict")
      })
    )

    test(
      "hands a row over to one adopter, with all that is in it",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { task, worker } = yield* submitAndClaim({ timeoutMs: 5000 })
        yield* registry.started(worker, shim)
        const before = yield* registry.stopping(worker, "stalled")
        const { claimId } = worker
        const answers = yield* Effect.forEach([1, 2, 3, 4], () => registry.adopt(claimId, runtimeA, runtimeB), {
          concurrency: "unbounded"
        })
        assert.strictEqual(answers.filter((adopted) => adopted).length, 1)
        assert.deepStrictEqual(yield* registry.workerOf(task.id), Option.some({ ...before, runtimeId: runtimeB }))
        const late = yield* Effect.flip(registry.started({ claimId, runtimeId: runtimeA }, shim))
        assert.strictEqual(late._tag, "TaskStateConflict")
        yield* (yield* Queue).finish(task.id, completed, { claimId, runtimeId: runtimeB })
        assert.isFalse(yield* registry.adopt(claimId, runtimeB, runtimeA))
      })
    )
  })
}

export const runtimeContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`WorkerRegistry runtimes over ${subject.name}`, () => {
    const older = runtime(runtimeB, 1)
    const newer = runtime(runtimeA, 2)

    test(
      "lists registered runtimes, oldest first",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        assert.deepStrictEqual(yield* registry.runtimes, [])
        yield* registry.register(newer)
        yield* registry.register(older)
        assert.deepStrictEqual(yield* registry.runtimes, [older, newer])
      })
    )

    test(
      "lets one leave always, and keeps its worker rows to be adopted",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        yield* registry.register(older)
        const { worker } = yield* submitAndClaim()
        assert.isTrue(yield* registry.leave(runtimeA, "always"))
        assert.deepStrictEqual(yield* registry.runtimes, [older])
        assert.deepStrictEqual(yield* registry.workers, [worker])
      })
    )

    test(
      "lets one leave when idle only if nothing is queued or running",
      Effect.gen(function* () {
        const queue = yield* Queue
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        yield* submit({ notBefore: 1_000_000 })
        assert.isFalse(yield* registry.leave(runtimeA, "idle"))
        const { task, worker } = yield* submitAndClaim()
        assert.isFalse(yield* registry.leave(runtimeA, "idle"))
        yield* TestClock.adjust("1000 seconds")
        const delayed = yield* claimNext()
        yield* queue.finish(delayed.task.id, completed, delayed.worker)
        assert.isFalse(yield* registry.leave(runtimeA, "idle"))
        assert.deepStrictEqual(yield* registry.runtimes, [newer])
        yield* queue.finish(task.id, completed, worker)
        assert.isTrue(yield* registry.leave(runtimeA, "idle"))
        assert.deepStrictEqual(yield* registry.runtimes, [])
      })
    )

    test(
      "lets one leave for another only while that one is registered",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        yield* registry.register(newer)
        assert.isFalse(yield* registry.leave(runtimeA, { superseded: runtimeB }))
        yield* registry.register(older)
        assert.isTrue(yield* registry.leave(runtimeA, { superseded: runtimeB }))
        assert.isFalse(yield* registry.leave(runtimeB, { superseded: runtimeA }))
        assert.deepStrictEqual(yield* registry.runtimes, [older])
      })
    )
  })
}
