/** What every store promises of checkpoints. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Checkpoint } from "../../src/domain/task/Checkpoint.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { ClaimId } from "../../src/domain/worker/Claim.ts"
import { Checkpoints } from "../../src/services/Checkpoints.ts"
import { Queue } from "../../src/services/Queue.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, failed, submit, submitAndClaim } from "../support/tasks.ts"

export const checkpointOf = (taskId: TaskId, overrides: Partial<Checkpoint> = {}): Checkpoint => ({
  taskId,
  takenAt: 5,
  status: "completed",
  cause: "exit",
  error: null,
  answer: "all is well",
  tail: "one\ntwo",
  durationMs: 12,
  usage: null,
  before: { branch: "main", commit: "a".repeat(40) },
  after: { branch: null, commit: null, dirty: ['?? ünïcode "name"'], dirtyCount: 1 },
  diffStat: null,
  alongside: [],
  ...overrides
})

const over = Effect.gen(function* () {
  const { task, claim } = yield* submitAndClaim()
  const event = yield* (yield* Queue).finish(task.id, completed, claim)
  return { id: task.id, seq: event.seq }
})

export const checkpointsContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`Checkpoints over ${subject.name}`, () => {
    test(
      "keep the first one, whichever process comes later",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        const { id } = yield* over
        assert.isTrue(Option.isNone(yield* checkpoints.get(id)))
        const first = checkpointOf(id)
        assert.deepStrictEqual(yield* checkpoints.store(first), first)
        assert.deepStrictEqual(yield* checkpoints.store(checkpointOf(id, { answer: "later" })), first)
        assert.deepStrictEqual(yield* checkpoints.get(id), Option.some(first))
      })
    )

    test(
      "are refused for a task that is not there",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        const nobody = TaskId.make("000000000000")
        const refused = yield* Effect.flip(checkpoints.store(checkpointOf(nobody)))
        assert.strictEqual(refused._tag, "TaskNotFound")
        assert.isTrue(Option.isNone(yield* checkpoints.get(nobody)))
      })
    )

    test(
      "remember where the repository stood at the last start, as told by who holds the claim",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        const queue = yield* Queue
        const first = yield* submitAndClaim()
        const { id } = first.task
        assert.isTrue(Option.isNone(yield* checkpoints.startOf(id)))
        yield* checkpoints.started(first.claim.claimId, { branch: "main", commit: "1".repeat(40) })
        yield* queue.requeue(first.claim)
        const second = yield* claimNext()
        yield* checkpoints.started(second.claim.claimId, { branch: null, commit: null })
        // Its claim is over: whatever it has seen is not the start of this one.
        yield* checkpoints.started(first.claim.claimId, { branch: "main", commit: "2".repeat(40) })
        yield* checkpoints.started(ClaimId.make("0".repeat(16)), { branch: "x", commit: null })
        assert.deepStrictEqual(yield* checkpoints.startOf(id), Option.some({ branch: null, commit: null }))
      })
    )

    test(
      "are missing where a task ended that had started, oldest end first",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        const queue = yield* Queue
        const [one, two] = [yield* over, yield* over]
        const unstarted = yield* submit()
        yield* queue.finish(unstarted.id, failed, null)
        yield* submitAndClaim()
        const ids = (after: number, limit: number) =>
          Effect.map(checkpoints.missing(after, limit), (all) => all.map(({ taskId }) => taskId))
        assert.deepStrictEqual(yield* ids(0, 10), [one.id, two.id])
        assert.deepStrictEqual(yield* ids(0, 1), [one.id])
        assert.deepStrictEqual(yield* ids(one.seq, 10), [two.id])
        yield* checkpoints.store(checkpointOf(two.id))
        const [missing] = yield* checkpoints.missing(0, 10)
        assert.deepInclude(missing, { seq: one.seq, taskId: one.id })
        assert.deepStrictEqual(yield* ids(one.seq, 10), [])
      })
    )

    test(
      "are dealt with up to a number that only rises",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        assert.strictEqual(yield* checkpoints.reached, 0)
        yield* checkpoints.advance(7)
        yield* checkpoints.advance(3)
        assert.strictEqual(yield* checkpoints.reached, 7)
      })
    )

    test(
      "go with their task when it is pruned",
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints
        const { task, claim } = yield* submitAndClaim()
        yield* checkpoints.started(claim.claimId, { branch: "main", commit: null })
        yield* (yield* Queue).finish(task.id, completed, claim)
        yield* checkpoints.store(checkpointOf(task.id))
        yield* TestClock.adjust("1 second")
        yield* (yield* Queue).prune({ endedBefore: 1000, limit: 10, dryRun: false })
        assert.isTrue(Option.isNone(yield* checkpoints.get(task.id)))
        assert.isTrue(Option.isNone(yield* checkpoints.startOf(task.id)))
        assert.deepStrictEqual(yield* checkpoints.missing(0, 10), [])
      })
    )
  })
}
