/** Which transactions wake the worker of the same process. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as OwnWork from "../../../../src/layers/OwnWork.ts"
import { ownWork } from "../../../../src/services/OwnWork.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { newTask } from "../../../support/tasks.ts"
import { claimOptions, memory } from "../support.ts"

const woken = Effect.map(Effect.timeoutOption(ownWork, "20 millis"), Option.isSome)

describe("a commit of this process", () => {
  it.live("wakes its worker when it may have made a task ready or stopped one, and not when it claims", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      assert.isFalse(yield* woken)
      const [first] = yield* queue.enqueue([newTask(), newTask()], { maxDepth: 3 })
      assert.isTrue(yield* woken)
      yield* queue.claim(claimOptions)
      assert.isFalse(yield* woken)
      if (first === undefined) return assert.fail("nothing was stored")
      yield* queue.cancel(first.task.id, { reason: "test", by: "test" })
      assert.isTrue(yield* woken)
    }).pipe(Effect.provide(Layer.merge(memory, OwnWork.layer)))
  )
})
