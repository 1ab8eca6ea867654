/** What every queue promises of deleting old tasks. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { BudgetName } from "../../src/domain/budgets/Budget.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { Budgets } from "../../src/services/Budgets.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import type { Holder } from "../../src/services/WorkerRegistry.ts"
import { type AllPorts, Probe, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, failed, newTask, submit, submitAndClaim } from "../support/tasks.ts"

export const pruneContract = (subject: Subject) => {
  const test = testsOver(subject)

  /** A task that ended now. */
  const over = (environment: Record<string, string>) =>
    Effect.gen(function* () {
      const { task, claim } = yield* submitAndClaim({ environment, labels: { kind: "old" }, idempotencyKey: null })
      yield* (yield* OutputStore).append(
        { taskId: task.id, stream: "stdout", offset: 0, bytes: new Uint8Array([1, 2, 3]) },
        { cap: 100 }
      )
      yield* (yield* Queue).finish(task.id, completed, claim)
      return task.id
    })

  describe(`Queue.prune over ${subject.name}`, () => {
    test(
      "keeps all attempts of a work until the last one is old, also where a clock that was set back gave it the earliest end",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        yield* TestClock.setTime(20_000)
        const first = yield* submitAndClaim()
        const retry = newTask({ retryOf: first.task.id, continuation: "retry" })
        const { retriedBy } = yield* queue.finish(first.task.id, failed, first.claim, retry)
        yield* TestClock.setTime(5000)
        const second = yield* claimNext()
        assert.strictEqual(second.task.id, retriedBy)
        yield* queue.finish(second.task.id, completed, second.claim)
        const prune = { limit: 10, dryRun: false }
        assert.deepStrictEqual(yield* queue.prune({ ...prune, endedBefore: 10_000 }), [])
        assert.strictEqual((yield* tasks.get(second.task.id)).status, "completed")
        assert.sameMembers(Array.from(yield* queue.prune({ ...prune, endedBefore: 30_000 })), [
          first.task.id,
          second.task.id
        ])
      })
    )

    test(
      "deletes what ended before, with output and unused environments",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const probe = yield* Effect.serviceOption(Probe)
        const assertEnvironments = (count: number) =>
          Option.isNone(probe)
            ? Effect.void
            : Effect.map(probe.value.environments, (found) => assert.strictEqual(found, count))
        const old = yield* over({ SHARED: "1" })
        const lonely = yield* over({ LONELY: "1" })
        yield* TestClock.adjust("10 seconds")
        const recent = yield* over({ SHARED: "1" })
        const queued = yield* submit({ environment: { QUEUED: "1" } })
        yield* assertEnvironments(3)

        const before = { endedBefore: 10_000, limit: 100 }
        assert.sameMembers(Array.from(yield* queue.prune({ ...before, dryRun: true })), [old, lonely])
        assert.strictEqual((yield* tasks.get(old)).status, "completed")
        yield* assertEnvironments(3)

        assert.sameMembers(Array.from(yield* queue.prune({ ...before, dryRun: false })), [old, lonely])
        for (const id of [old, lonely]) {
          assert.strictEqual((yield* Effect.flip(tasks.get(id)))._tag, "TaskNotFound")
          assert.deepStrictEqual(yield* (yield* OutputStore).streams(id), [])
          const page = { taskId: id, stream: null, after: 0, limit: 10 }
          assert.deepStrictEqual(yield* (yield* OutputStore).read(page), [])
        }
        yield* assertEnvironments(2)
        assert.deepStrictEqual((yield* queue.captured(recent)).environment, { SHARED: "1" })
        assert.deepStrictEqual((yield* queue.captured(queued.id)).environment, { QUEUED: "1" })
        const counts = yield* tasks.counts
        assert.deepStrictEqual([counts.completed, counts.queued], [1, 1])
        assert.deepStrictEqual(yield* queue.prune({ ...before, dryRun: false }), [])
      })
    )

    test(
      "keeps the attempts of a work until the last of them has ended",
      Effect.gen(function* () {
        const queue = yield* Queue
        const old = { endedBefore: 1_000_000, limit: 10, dryRun: false }
        const end = (retryOf: TaskId, claim: Holder) => queue.finish(retryOf, failed, claim, newTask({ retryOf }))
        const first = yield* submitAndClaim()
        yield* end(first.task.id, first.claim)
        const second = yield* claimNext()
        yield* end(second.task.id, second.claim)
        const third = yield* claimNext()
        assert.deepStrictEqual(yield* queue.prune(old), [])
        yield* queue.finish(third.task.id, completed, third.claim)
        assert.deepStrictEqual(yield* queue.prune(old), [first.task.id, second.task.id, third.task.id])
      })
    )

    test(
      "keeps the tasks that a task comes from until it is old too",
      Effect.gen(function* () {
        const queue = yield* Queue
        const root = yield* submitAndClaim({ prompt: "root" })
        const child = yield* submitAndClaim({ prompt: "child", parentId: root.task.id })
        const below = yield* submitAndClaim({ prompt: "below", parentId: child.task.id })
        yield* queue.finish(root.task.id, completed, root.claim)
        yield* queue.finish(child.task.id, completed, child.claim)
        yield* TestClock.adjust("10 seconds")
        const prune = { endedBefore: 10_000, limit: 10, dryRun: false }
        assert.deepStrictEqual(yield* queue.prune(prune), [])
        yield* queue.finish(below.task.id, completed, below.claim)
        assert.deepStrictEqual(yield* queue.prune(prune), [])
        yield* TestClock.adjust("10 seconds")
        const all = [root, child, below].map(({ task }) => task.id)
        assert.sameMembers(Array.from(yield* queue.prune({ ...prune, endedBefore: 20_000 })), all)
      })
    )

    test(
      "deletes no more than asked, and never what has not ended",
      Effect.gen(function* () {
        const queue = yield* Queue
        for (let index = 0; index < 3; index += 1) yield* over({})
        const { task } = yield* submitAndClaim()
        yield* TestClock.adjust("10 seconds")
        const options = { endedBefore: 10_000, limit: 2, dryRun: false }
        assert.strictEqual((yield* queue.prune(options)).length, 2)
        assert.strictEqual((yield* queue.prune(options)).length, 1)
        assert.strictEqual((yield* queue.prune(options)).length, 0)
        assert.strictEqual((yield* (yield* Tasks).get(task.id)).status, "running")
      })
    )

    test(
      "frees the key and drops the event; the numbers of tasks and events still rise",
      Effect.gen(function* () {
        const queue = yield* Queue
        const { task, claim } = yield* submitAndClaim({ idempotencyKey: "k" })
        const event = yield* queue.finish(task.id, completed, claim)
        yield* TestClock.adjust("1 second")
        yield* queue.prune({ endedBefore: 1000, limit: 10, dryRun: false })
        const tasks = yield* Tasks
        assert.deepStrictEqual(yield* tasks.events(0, 10), [])
        const next = yield* submit({ idempotencyKey: "k", prompt: "another" })
        assert.isAbove(next.seq, task.seq)
        const claimed = yield* claimNext()
        const later = yield* queue.finish(claimed.task.id, completed, claimed.claim)
        assert.isAbove(later.seq, event.seq)
        assert.deepStrictEqual(yield* tasks.events(event.seq, 10), [later])
      })
    )
  })
}

/** What goes with a task out of the tables that only a database has. */
export const pruneRestContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`Queue.prune over ${subject.name}`, () => {
    test(
      "deletes the budgets of a task with its last attempt, and no other budget",
      Effect.gen(function* () {
        const queue = yield* Queue
        const budgets = yield* Budgets
        const found = (name: string) => Effect.map(budgets.find(BudgetName.make(name)), Option.isSome)
        const first = yield* submitAndClaim({ agent: "claude", budgetMicro: 1_000_000 })
        const { id } = first.task
        const common = { period: "total", metric: "usd", amount: 5, warnPercent: 80, action: "pause" } as const
        const one = { ...common, name: BudgetName.make("one"), scope: "task", value: id, timezone: "UTC" } as const
        yield* budgets.set(one)
        yield* budgets.set({ ...one, name: BudgetName.make("agent"), scope: "agent", value: "claude", period: "day" })
        const retry = newTask({ agent: "claude", retryOf: id, continuation: "retry" })
        yield* queue.finish(id, failed, first.claim, retry)
        const second = yield* claimNext()
        yield* queue.finish(second.task.id, completed, second.claim)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(yield* queue.prune({ endedBefore: 1000, limit: 1, dryRun: false }), 1)
        assert.deepStrictEqual([yield* found(id), yield* found("one"), yield* found("agent")], [true, true, true])
        assert.lengthOf(yield* queue.prune({ endedBefore: 1000, limit: 1, dryRun: false }), 1)
        assert.deepStrictEqual([yield* found(id), yield* found("one"), yield* found("agent")], [false, false, true])
      })
    )
  })
}
