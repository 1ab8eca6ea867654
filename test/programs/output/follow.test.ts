/** Following output: every chunk once, in order, up to the end of the task and what was captured last. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { StreamName } from "../../../src/domain/output/Output.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { follow, readTail } from "../../../src/programs/output/follow.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import type { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { bytesOf } from "../../support/output.ts"
import { failed, submit } from "../../support/tasks.ts"
import { finish, layer } from "../world.ts"

const all = { stream: null, after: -1, follow: true } as const

/** Appends texts to a task, keeping the offsets. */
const printer = (taskId: TaskId) =>
  Effect.gen(function* () {
    const output = yield* OutputStore
    const offsets = { stdout: 0, stderr: 0 }
    return (text: string, stream: StreamName = "stdout") =>
      Effect.suspend(() => {
        const bytes = bytesOf(text)
        const offset = offsets[stream]
        offsets[stream] += bytes.length
        return output.append({ taskId, stream, offset, bytes }, { cap: 1_000_000 })
      })
  })

const textOf = (chunks: Iterable<{ readonly bytes: Uint8Array }>): string =>
  Array.from(chunks, ({ bytes }) => new TextDecoder().decode(bytes)).join("")

describe("follow", () => {
  it.effect("stops at the present end when it is not to follow", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const print = yield* printer(id)
      for (let n = 0; n < 50; n += 1) yield* print(`${n} `, n % 7 === 0 ? "stderr" : "stdout")
      const both = yield* Stream.runCollect(follow(id, { ...all, follow: false }))
      assert.strictEqual(textOf(both), Array.from({ length: 50 }, (_, n) => `${n} `).join(""))
      const errors = yield* Stream.runCollect(follow(id, { ...all, stream: "stderr", follow: false }))
      assert.strictEqual(textOf(errors), "0 7 14 21 28 35 42 49 ")
      const later = yield* Stream.runCollect(
        follow(id, { ...all, after: Chunk.unsafeGet(both, 47).seq, follow: false })
      )
      assert.strictEqual(textOf(later), "48 49 ")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("hands on what is printed promptly, and ends after the last bytes", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const print = yield* printer(id)
      const seen = yield* Ref.make("")
      const fiber = yield* follow(id, all).pipe(
        Stream.runForEach((chunk) => Ref.update(seen, (text) => text + textOf([chunk]))),
        Effect.fork
      )
      yield* TestClock.adjust("3 seconds")
      yield* print("one ")
      yield* TestClock.adjust("400 millis")
      assert.strictEqual(yield* Ref.get(seen), "one ")
      // Captured and ended between two looks: nothing may be left behind.
      yield* print("two ")
      yield* print("three", "stderr")
      yield* finish(id, failed)
      yield* TestClock.adjust("400 millis")
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* Ref.get(seen), "one two three")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("reads once more when the task ended between a read and the look at its status", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const { id } = yield* submit()
      const print = yield* printer(id)
      const context = yield* Effect.context<Queue | WorkerRegistry>()
      const late = Tasks.of({
        ...tasks,
        summary: (asked) =>
          Effect.zipRight(
            Effect.orDie(Effect.provide(Effect.zipRight(print("last"), finish(id, failed)), context)),
            tasks.summary(asked)
          )
      })
      const chunks = yield* Effect.provideService(Stream.runCollect(follow(id, all)), Tasks, late)
      assert.strictEqual(textOf(chunks), "last")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("fails for a task that is pruned meanwhile", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(follow(id, all))))
      yield* TestClock.adjust("10 millis")
      yield* finish(id, failed)
      yield* queue.prune({ endedBefore: Number.MAX_SAFE_INTEGER, limit: 10, dryRun: false })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TaskNotFound")
    }).pipe(Effect.provide(layer()))
  )
})

describe("readTail", () => {
  it.effect("reads backwards no further than needed", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const print = yield* printer(id)
      for (let n = 0; n < 100; n += 1) yield* print(`${n} `)
      const some = yield* readTail(id, { stream: null, enough: (chunks) => chunks.length >= 20 })
      assert.isFalse(some.complete)
      assert.strictEqual(some.chunks.length, 32)
      assert.strictEqual(textOf(some.chunks.slice(-3)), "97 98 99 ")
      const whole = yield* readTail(id, { stream: null, enough: () => false })
      assert.isTrue(whole.complete)
      assert.strictEqual(whole.chunks.length, 100)
    }).pipe(Effect.provide(layer()))
  )
})
