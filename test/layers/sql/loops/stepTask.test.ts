/** A task whose work is a loop: no worker claims it before the end of the loop, and its end ends the loop. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { Gates } from "../../../../src/services/Gates.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { createLoop, endRound } from "../../../support/loops.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, claimOptions, completed, failed, newTask } from "../../../support/tasks.ts"

const passing = { evaluations: [[completed, "ok"] as const] }
const failing = { evaluations: [[failed, "not yet"] as const] }

const by = { reason: "enough", by: "me" }

/** A task that was claimed, has begun its loop, and is in the queue again. */
const waitingTask = (maxRounds = 10) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const [stored] = yield* queue.enqueue([newTask({ prompt: "# Loop: make it work" })], { maxDepth: 3 })
    const id = stored?.task.id ?? (yield* Effect.dieMessage("nothing was stored"))
    const { claim } = yield* claimNext()
    const loop = yield* createLoop(loopRules({ maxRounds }), undefined, id)
    yield* queue.requeue({ claimId: claim.claimId, workerId: claim.workerId })
    return { id, loop }
  })

const nextClaimed = Effect.gen(function* () {
  return Option.map(yield* (yield* Queue).claim(claimOptions()), ({ task }) => task.id)
})

const statusOf = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.summary(id))

describe("a task whose work is a loop", () => {
  it.effect("is claimed again when its loop has ended, in the transaction that ended it", () =>
    Effect.gen(function* () {
      const { id, loop } = yield* waitingTask()
      assert.strictEqual(loop.stepTask, id)
      const hold = Option.getOrNull(yield* (yield* Gates).holding(id))
      assert.include(JSON.stringify(hold), `its loop is open: beat loop status ${loop.id}`)
      yield* endRound(failing)
      yield* endRound(passing)
      assert.deepStrictEqual(yield* nextClaimed, Option.some(id))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("has one loop, however often it begins, and is held back again after a person released it", () =>
    Effect.gen(function* () {
      const loops = yield* Loops
      const gates = yield* Gates
      const { id, loop } = yield* waitingTask()
      assert.strictEqual((yield* createLoop(loopRules(), undefined, id)).id, loop.id)
      assert.strictEqual(Option.getOrNull(yield* loops.ofStep(id))?.id, loop.id)
      assert.isTrue(yield* gates.open("task", id))
      yield* loops.hold(id)
      yield* endRound(failing)
      const work = (yield* loops.get(loop.id)).rounds[1]?.workTask
      assert.deepStrictEqual(yield* nextClaimed, Option.fromNullable(work))
      yield* loops.cancel(loop.id, by)
      // The loop has ended, or will with the task that runs: nothing is left to hold it for.
      yield* gates.open("task", id)
      yield* (yield* Queue).cancel(id, by)
      yield* loops.hold(id)
      assert.isTrue(Option.isNone(yield* nextClaimed))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("waits on while its loop is paused", () =>
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id, loop } = yield* waitingTask(2)
      yield* loops.pause(loop.id)
      yield* endRound(failing)
      assert.strictEqual((yield* loops.get(loop.id)).status, "paused")
      assert.isTrue(Option.isNone(yield* nextClaimed))
      yield* loops.resume(loop.id)
      yield* endRound(failing)
      assert.strictEqual((yield* loops.get(loop.id)).status, "exhausted")
      assert.deepStrictEqual(yield* nextClaimed, Option.some(id))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("ends its loop when it is cancelled", () =>
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id, loop } = yield* waitingTask()
      assert.strictEqual(yield* (yield* Queue).cancel(id, by), "ended")
      const after = yield* loops.get(loop.id)
      assert.strictEqual(after.status, "cancelled")
      assert.strictEqual((yield* statusOf(after.rounds[0]?.workTask ?? id)).status, "cancelled")
      assert.isTrue(Option.isNone(yield* nextClaimed))
    }).pipe(Effect.provide(testSql))
  )
})
