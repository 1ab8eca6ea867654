/** Captured output against a model: the whole stream in memory, and what of it has to be left. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"
import type { OutputChunk } from "../../../../src/domain/output/Output.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { OutputStore } from "../../../../src/services/OutputStore.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { newTask } from "../../../support/tasks.ts"
import { memory } from "../support.ts"

/** Byte `n` of a stream, so that a wrong place shows. */
const byteAt = (n: number) => (n * 31 + (n >> 8) * 7) & 255

const bytesFrom = (from: number, length: number) => Uint8Array.from({ length }, (_, index) => byteAt(from + index))

const newTaskId = Effect.gen(function* () {
  const queue = yield* Queue
  const [enqueued] = yield* queue.enqueue([newTask()], { maxDepth: 3 })
  return enqueued === undefined ? yield* Effect.dieMessage("nothing enqueued") : enqueued.task.id
})

interface Step {
  readonly stream: "stdout" | "stderr"
  readonly length: number
  /** Bytes stored before that are given again. */
  readonly again: number
}

const steps = FastCheck.array(
  FastCheck.record({
    stream: FastCheck.constantFrom("stdout" as const, "stderr" as const),
    length: FastCheck.oneof(FastCheck.nat(40), FastCheck.constantFrom(65_536, 70_000, 140_000)),
    again: FastCheck.nat(30)
  }),
  { maxLength: 12 }
)

const caps = FastCheck.oneof(FastCheck.nat(120), FastCheck.constantFrom(65_536, 100_001, 200_000))

/** Everything that can be read of a stream, a few chunks at a time. */
const readAll = (taskId: TaskId, stream: "stdout" | "stderr" | null, limit: number) =>
  Effect.gen(function* () {
    const store = yield* OutputStore
    const all = []
    for (let after = 0; ; ) {
      const page = yield* store.read({ taskId, stream, after, limit })
      const last = page.at(-1)
      if (last === undefined) return all
      all.push(...page)
      after = last.seq
    }
  })

/** The runs of chunks that follow each other without a gap. */
const runsOf = (chunks: ReadonlyArray<OutputChunk>): ReadonlyArray<{ from: number; bytes: Buffer }> => {
  const runs: Array<{ from: number; bytes: Buffer }> = []
  for (const { bytes, offset } of chunks) {
    const last = runs.at(-1)
    if (last !== undefined && last.from + last.bytes.length === offset) last.bytes = Buffer.concat([last.bytes, bytes])
    else runs.push({ from: offset, bytes: Buffer.from(bytes) })
  }
  return runs
}

const verify = (cap: number, script: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    const store = yield* OutputStore
    const taskId = yield* newTaskId
    const sizes = { stdout: 0, stderr: 0 }
    const head = Math.floor(cap / 2)
    for (const { again, length, stream } of script) {
      const offset = Math.max(0, sizes[stream] - again)
      const state = yield* store.append({ taskId, stream, offset, bytes: bytesFrom(offset, length) }, { cap })
      const size = Math.max(sizes[stream], offset + length)
      sizes[stream] = size
      const dropped = Math.max(0, size - cap)
      assert.deepInclude(state, { size, stored: size - dropped, dropped, droppedAt: dropped > 0 ? head : null })
    }
    for (const stream of ["stdout", "stderr"] as const) {
      const size = sizes[stream]
      const dropped = Math.max(0, size - cap)
      const kept =
        dropped === 0
          ? [[0, size]]
          : [
              [0, head],
              [head + dropped, size]
            ]
      const expected = kept
        .filter(([from = 0, to = 0]) => to > from)
        .map(([from = 0, to = 0]) => ({ from, bytes: Buffer.from(bytesFrom(from, to - from)) }))
      const chunks = yield* readAll(taskId, stream, 3)
      const runs = runsOf(chunks)
      assert.deepStrictEqual(
        runs.map(({ from }) => from),
        expected.map(({ from }) => from)
      )
      assert.isTrue(runs.every(({ bytes }, index) => expected[index]?.bytes.equals(bytes)))
      assert.isTrue(chunks.every((chunk) => chunk.bytes.length <= 65_536 && chunk.bytes.constructor === Uint8Array))
    }
    const both = yield* readAll(taskId, null, 1000)
    const numbers = both.map(({ seq }) => seq)
    assert.deepStrictEqual(
      numbers,
      Array.from(new Set(numbers)).sort((left, right) => left - right)
    )
    const back = yield* store.readBack({ taskId, stream: null, before: null, limit: 1000 })
    assert.deepStrictEqual(Array.from(back, ({ seq }) => seq).reverse(), numbers)
  })

describe("OutputStore on SQLite", () => {
  it.effect(
    "keeps each byte once, the beginning and the end, whatever the pieces, the cap and the repetitions",
    () =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime<OutputStore | Queue>()
        yield* Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(caps, steps, (cap, script) => Runtime.runPromise(runtime)(verify(cap, script))),
            { numRuns: 25 }
          )
        )
      }).pipe(Effect.provide(memory)),
    60_000
  )

  it.effect("refuses a gap and stores nothing of it", () =>
    Effect.gen(function* () {
      const store = yield* OutputStore
      const taskId = yield* newTaskId
      const exit = yield* Effect.exit(
        store.append({ taskId, stream: "stdout", offset: 5, bytes: bytesFrom(5, 5) }, { cap: 100 })
      )
      assert.isTrue(exit._tag === "Failure" && exit.cause._tag === "Die")
      assert.deepStrictEqual(yield* store.streams(taskId), [])
    }).pipe(Effect.provide(memory))
  )

  it.effect("gives new chunks higher numbers than any a follower has seen, when all but the end is dropped", () =>
    Effect.gen(function* () {
      const store = yield* OutputStore
      const taskId = yield* newTaskId
      const append = (offset: number, length: number) =>
        store.append({ taskId, stream: "stdout", offset, bytes: bytesFrom(offset, length) }, { cap: 10 })
      let seen = 0
      for (const [offset, length] of [
        [0, 100],
        [100, 1],
        [101, 300],
        [401, 2]
      ] as const) {
        yield* append(offset, length)
        const [fresh] = yield* store.readBack({ taskId, stream: null, before: null, limit: 1 })
        assert.isAbove(fresh?.seq ?? 0, seen)
        seen = fresh?.seq ?? 0
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("holds few rows more than it keeps", () =>
    Effect.gen(function* () {
      const store = yield* OutputStore
      const sql = yield* SqlClient.SqlClient
      const taskId = yield* newTaskId
      for (let n = 0; n < 40; n += 1) {
        yield* store.append(
          { taskId, stream: "stdout", offset: n * 100_000, bytes: bytesFrom(n * 100_000, 100_000) },
          { cap: 300_000 }
        )
      }
      const [row] = yield* sql<{ bytes: number }>`SELECT sum(size) AS bytes FROM task_output`
      assert.isAtMost(row?.bytes ?? Number.NaN, 300_000 + 65_536)
    }).pipe(Effect.provide(memory))
  )
})
