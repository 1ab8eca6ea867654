/** What a pause of one task answers when a worker claims the task at the same moment. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { pauseTask, resumePaused } from "../../../src/programs/gates/pauseTask.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { claimNext, completed, submit } from "../../support/tasks.ts"
import { quietly, layer as world } from "../world.ts"

const given = { until: null, reason: null, by: "anna", freeze: false }

/** A worker claims the task after the pause has read it, and before the pause is stored. */
const claimedBefore = Layer.effect(
  Gates,
  Effect.gen(function* () {
    const gates = yield* Gates
    const context = yield* Effect.context<Queue>()
    return Gates.of({
      ...gates,
      close: (gate) => claimNext().pipe(Effect.orDie, Effect.provide(context), Effect.zipRight(gates.close(gate)))
    })
  })
)

const layer = Layer.provideMerge(claimedBefore, world())

describe("the pause of a task that a worker has just claimed", () => {
  it.effect("is refused for an agent without sessions, and leaves no pause behind", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const refused = yield* Effect.flip(pauseTask(id, given, quietly))
      assert.deepInclude(refused, { _tag: "TaskStateConflict", actual: "running" })
      assert.match(refused.message, /--freeze/)
      assert.deepStrictEqual(yield* (yield* Gates).list, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("returns once the turn of an agent with sessions has ended", () =>
    Effect.gen(function* () {
      const { id } = yield* submit({ agent: "claude" })
      const pausing = yield* Effect.fork(pauseTask(id, given, quietly))
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(pausing)))
      assert.strictEqual((yield* (yield* Tasks).summary(id)).status, "running")
      yield* Fiber.interrupt(pausing)
    }).pipe(Effect.provide(layer))
  )
})

describe("the end of a pause", () => {
  const frozen = Effect.gen(function* () {
    const { id } = yield* submit()
    const { claim } = yield* claimNext()
    yield* (yield* Gates).close({ scope: "task", name: id, ...given, freeze: true })
    return { id, claim }
  })

  it.effect("is refused where the task has ended since the caller looked: nothing continues", () =>
    Effect.gen(function* () {
      const { claim, id } = yield* frozen
      yield* (yield* Queue).finish(id, completed, { claimId: claim.claimId, workerId: claim.workerId })
      const refused = yield* Effect.flip(resumePaused(id))
      assert.deepInclude(refused, { _tag: "TaskStateConflict", actual: "completed" })
      assert.include(refused.message, `beat resume ${id}`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is refused where the pause is over already", () =>
    Effect.gen(function* () {
      const { id } = yield* frozen
      yield* (yield* Gates).open("task", id)
      const refused = yield* Effect.flip(resumePaused(id))
      assert.deepInclude(refused, { _tag: "TaskStateConflict", actual: "running" })
      assert.include(refused.message, "its pause is over already")
    }).pipe(Effect.provide(world()))
  )

  it.effect("returns the task that continues", () =>
    Effect.gen(function* () {
      const { id } = yield* frozen
      assert.strictEqual(yield* resumePaused(id), id)
      assert.deepStrictEqual(yield* (yield* Gates).list, [])
    }).pipe(Effect.provide(world()))
  )
})
