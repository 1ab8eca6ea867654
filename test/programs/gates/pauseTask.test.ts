/** What a pause of one task answers when a worker claims the task at the same moment. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { pauseTask } from "../../../src/programs/gates/pauseTask.ts"
import { Gates } from "../../../src/services/Gates.ts"
import type { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { claimNext, submit } from "../../support/tasks.ts"
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
