/** What every queue promises of claims: the right task, to one caller, within the limits. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { spanIdOf, traceIdOf } from "../../src/domain/traces/TraceContext.ts"
import { ClaimId } from "../../src/domain/worker/Claim.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import {
  claimNext,
  claimOptions,
  completed,
  failed,
  heldBy,
  newTask,
  submit,
  workerA,
  workerB
} from "../support/tasks.ts"

export const claimContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue.claim over ${subject.name}`, () => {
    test(
      "answers none when there is nothing",
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* (yield* Queue).claim(claimOptions()), Option.none())
      })
    )

    test(
      "hands out by priority, then by arrival",
      Effect.gen(function* () {
        for (const [prompt, priority] of [
          ["low", "P2"],
          ["mid 1", "P1"],
          ["high 1", "P0"],
          ["mid 2", "P1"],
          ["high 2", "P0"]
        ] as const) {
          yield* submit({ prompt, priority })
        }
        const order = yield* Effect.forEach([1, 2, 3, 4, 5], () => claimNext())
        assert.deepStrictEqual(
          order.map(({ task }) => task.prompt),
          ["high 1", "high 2", "mid 1", "mid 2", "low"]
        )
      })
    )

    test(
      "gives each agent its place in a trace: below its submitter, its parent or its pipeline, with all its attempts",
      Effect.gen(function* () {
        const queue = yield* Queue
        const outside = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        const traced = Effect.fn(function* (more: Partial<NewTask>) {
          const claimed = yield* Effect.zipRight(submit(more), claimNext())
          const [version, trace, span, flags] = claimed.traceparent.split("-")
          assert.deepStrictEqual([version, span], ["00", spanIdOf("task", claimed.task.id)])
          return { ...claimed, trace, flags }
        })
        const alone = yield* traced({})
        assert.deepStrictEqual([alone.trace, alone.flags], [traceIdOf(spanIdOf("task", alone.task.id)), "01"])
        assert.notStrictEqual((yield* traced({})).trace, alone.trace)
        const child = yield* traced({ parentId: alone.task.id })
        assert.strictEqual((yield* traced({ parentId: child.task.id })).trace, alone.trace)
        const given = yield* traced({ traceparent: outside, parentId: alone.task.id })
        assert.deepStrictEqual([given.trace, given.flags], ["4bf92f3577b34da6a3ce929d0e0e4736", "00"])
        for (const first of [alone, child, given]) {
          yield* queue.finish(first.task.id, failed, first.claim)
          assert.strictEqual((yield* traced({ retryOf: first.task.id })).trace, first.trace)
        }
      })
    )

    test(
      "gives all that the start needs, and writes the claim row",
      Effect.gen(function* () {
        const given = newTask({ environment: { A: "1" }, timeoutMs: 1000 })
        const submitted = yield* submit(given)
        yield* TestClock.adjust("3 seconds")
        const claimed = yield* claimNext({ workerId: workerB, bootId: "boot-9", uptimeMs: 700 })
        assert.deepStrictEqual(claimed.task, { ...submitted, status: "running", startedAt: 3000 })
        assert.deepStrictEqual(claimed.launch, given.launch)
        assert.deepStrictEqual(claimed.environment, given.environment)
        const { claimId, deadlineUptime, ...claim } = claimed.claim
        assert.match(claimId, /^[0-9a-z]{16}$/)
        assert.strictEqual(deadlineUptime, 1700)
        assert.deepStrictEqual(claim, {
          taskId: submitted.id,
          workerId: workerB,
          state: "claimed",
          process: null,
          bootId: "boot-9",
          claimedAt: 3000,
          runningAt: null,
          frozenUptime: null,
          boundUptime: null,
          stopCause: null,
          stopAt: null
        })
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).claimOf(submitted.id), Option.some(claimed.claim))
        assert.deepStrictEqual(yield* (yield* Tasks).get(submitted.id), claimed.task)
        assert.deepStrictEqual(yield* (yield* Queue).claimedTask(claimId), heldBy(claimed))
        assert.deepStrictEqual(yield* (yield* Queue).claimedTask(ClaimId.make("0".repeat(16))), Option.none())
      })
    )

    test(
      "has no deadline where there is no timeout",
      Effect.gen(function* () {
        yield* submit()
        assert.isNull((yield* claimNext()).claim.deadlineUptime)
      })
    )

    test(
      "takes a timeout that no clock reaches for one that never comes",
      Effect.gen(function* () {
        yield* submit({ timeoutMs: Number.MAX_SAFE_INTEGER })
        assert.strictEqual((yield* claimNext({ uptimeMs: 86_400_000 })).claim.deadlineUptime, Number.MAX_SAFE_INTEGER)
      })
    )

    test(
      "waits for the not-before time and lets others pass",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* submit({ prompt: "later", priority: "P0", notBefore: 10_000 })
        yield* submit({ prompt: "now", priority: "P2" })
        assert.strictEqual((yield* claimNext()).task.prompt, "now")
        yield* TestClock.adjust("9999 millis")
        assert.deepStrictEqual(yield* queue.claim(claimOptions()), Option.none())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* claimNext()).task.prompt, "later")
      })
    )

    test(
      "keeps the worker limit over all workers",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* Effect.forEach([1, 2, 3], () => submit())
        const first = yield* claimNext({ maxConcurrency: 2, workerId: workerA })
        yield* claimNext({ maxConcurrency: 2, workerId: workerB })
        for (const workerId of [workerA, workerB]) {
          assert.deepStrictEqual(yield* queue.claim(claimOptions({ maxConcurrency: 2, workerId })), Option.none())
        }
        yield* queue.finish(first.task.id, completed, first.claim)
        yield* claimNext({ maxConcurrency: 2 })
      })
    )

    test(
      "claims when idle only if no worker exists at all",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* submit()
        yield* submit()
        const first = yield* claimNext({ onlyWhenIdle: true })
        const second = claimOptions({ onlyWhenIdle: true, workerId: workerB })
        assert.deepStrictEqual(yield* queue.claim(second), Option.none())
        yield* queue.finish(first.task.id, completed, first.claim)
        assert.isTrue(Option.isSome(yield* queue.claim(second)))
      })
    )

    test(
      "hands each task to exactly one of many callers",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* queue.enqueue(
          Array.from({ length: 8 }, () => newTask()),
          { maxDepth: 3 }
        )
        const claims = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? workerA : workerB)),
          (workerId) => queue.claim(claimOptions({ workerId, maxConcurrency: 100 })),
          { concurrency: "unbounded" }
        )
        const ids = claims.flatMap((claimed) => (Option.isSome(claimed) ? claimed.value.task.id : []))
        const claimIds = claims.flatMap((claimed) => (Option.isSome(claimed) ? claimed.value.claim.claimId : []))
        assert.strictEqual(ids.length, 8)
        assert.strictEqual(new Set(ids).size, 8)
        assert.strictEqual(new Set(claimIds).size, 8)
      })
    )

    test(
      "claims several in the order of single claims, and no more than there is room for",
      Effect.gen(function* () {
        const queue = yield* Queue
        for (const priority of ["P2", "P0", "P1", "P1"] as const) yield* submit({ prompt: priority, priority })
        const options = claimOptions({ maxConcurrency: 3 })
        const claimed = yield* queue.claimSeveral(options, 2)
        assert.deepStrictEqual(
          claimed.map(({ task }) => [task.prompt, task.status]),
          [
            ["P0", "running"],
            ["P1", "running"]
          ]
        )
        assert.strictEqual(new Set(claimed.map(({ claim }) => claim.claimId)).size, 2)
        for (const { claim, task } of claimed) {
          assert.deepStrictEqual(yield* (yield* WorkerRegistry).claimOf(task.id), Option.some(claim))
        }
        assert.strictEqual((yield* queue.claimSeveral(options, 2)).length, 1)
        assert.deepStrictEqual(yield* queue.claimSeveral(options, 2), [])
      })
    )

    test(
      "claims one of several where memory is short, and none next to another",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* Effect.forEach([1, 2, 3], () => submit())
        const options = claimOptions({ onlyWhenIdle: true })
        assert.strictEqual((yield* queue.claimSeveral(options, 3)).length, 1)
        assert.deepStrictEqual(yield* queue.claimSeveral(options, 3), [])
      })
    )

    test(
      "never hands out what was cancelled or has ended",
      Effect.gen(function* () {
        const queue = yield* Queue
        const task = yield* submit()
        yield* queue.cancel(task.id, { reason: null, by: "tester" })
        yield* submit()
        const claimed = yield* claimNext()
        yield* queue.finish(claimed.task.id, completed, claimed.claim)
        assert.deepStrictEqual(yield* queue.claim(claimOptions()), Option.none())
      })
    )
  })
}
