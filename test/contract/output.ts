/** What every output store promises: bytes, exactly once, in order, with the beginning and the end kept. */
import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import type { StreamName } from "../../src/domain/output/Output.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { bytesOf, chunksOf, hex, joined, keptOf } from "../support/output.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { submit, submitAndClaim } from "../support/tasks.ts"

const write = (taskId: TaskId, stream: StreamName, offset: number, bytes: Uint8Array, cap = 1_000_000) =>
  Effect.flatMap(OutputStore, (store) => store.append({ taskId, stream, offset, bytes }, { cap }))

/** What was kept, as text: one entry for each run without a hole. */
const keptText = (taskId: TaskId, stream: StreamName) =>
  Effect.map(keptOf(taskId, stream), (runs) =>
    runs.map(({ bytes, offset }) => [offset, new TextDecoder().decode(bytes)] as const)
  )

export const appendContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`OutputStore.append over ${subject.name}`, () => {
    test(
      "stores bytes and says how far it is",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        yield* TestClock.adjust("1 second")
        const first = yield* write(task.id, "stdout", 0, bytesOf("hello "))
        const common = {
          taskId: task.id,
          stream: "stdout",
          dropped: 0,
          droppedAt: null,
          base: 0,
          emptied: 0,
          since: 0
        } as const
        assert.deepStrictEqual(first, { ...common, size: 6, stored: 6, updatedAt: 1000 })
        yield* TestClock.adjust("1 second")
        const second = yield* write(task.id, "stdout", 6, bytesOf("world"))
        assert.deepStrictEqual(second, { ...common, size: 11, stored: 11, updatedAt: 2000 })
        assert.deepStrictEqual(yield* (yield* OutputStore).streams(task.id), [second])
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [[0, "hello world"]])
      })
    )

    test(
      "records where its own writer emptied a stream, once for each, and continues after it",
      Effect.gen(function* () {
        const store = yield* OutputStore
        const { task } = yield* submitAndClaim()
        const one = { taskId: task.id, stream: "stdout" } as const
        yield* write(task.id, "stdout", 0, bytesOf("first"))
        assert.deepInclude(yield* store.restart({ ...one, at: 5 }), { size: 5, base: 5, emptied: 1, stored: 5 })
        // Somebody whose offset is not the stored one changes nothing.
        assert.deepInclude(yield* store.restart({ ...one, at: 3 }), { size: 5, base: 5, emptied: 1 })
        assert.deepInclude(yield* write(task.id, "stdout", 5, bytesOf("second")), { size: 11, base: 5, emptied: 1 })
        assert.deepInclude(yield* store.restart({ ...one, at: 11 }), { base: 11, emptied: 2 })
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [[0, "firstsecond"]])
      })
    )

    test(
      "keeps every byte whatever it is, and characters cut at any border",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const every = Uint8Array.from({ length: 256 }, (_, index) => index)
        const text = bytesOf("aé漢🎉👩‍👩‍👧\u0000\r\n")
        const whole = joined([every, text])
        for (let size = 1; size <= 3; size += 1) {
          const other = yield* submit()
          for (let at = 0; at < whole.length; at += size) {
            yield* write(other.id, "stdout", at, whole.subarray(at, at + size))
          }
          const [run] = yield* keptOf(other.id, "stdout")
          assert.strictEqual(hex(run?.bytes ?? new Uint8Array()), hex(whole))
        }
        yield* write(task.id, "stderr", 0, whole)
        const [run] = yield* keptOf(task.id, "stderr")
        assert.strictEqual(hex(run?.bytes ?? new Uint8Array()), hex(whole))
      })
    )

    test(
      "takes bytes exactly once: repeated ones are skipped, and what is new after them counts",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const first = yield* write(task.id, "stdout", 0, bytesOf("abcdef"))
        const again = yield* write(task.id, "stdout", 0, bytesOf("abcdef"))
        const within = yield* write(task.id, "stdout", 2, bytesOf("cd"))
        for (const state of [again, within]) assert.deepStrictEqual([state.size, state.stored], [6, 6])
        assert.strictEqual(first.size, 6)
        const over = yield* write(task.id, "stdout", 4, bytesOf("efghi"))
        assert.deepStrictEqual([over.size, over.stored], [9, 9])
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [[0, "abcdefghi"]])
      })
    )

    test(
      "takes them once from many at the same time",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        yield* Effect.forEach([1, 2, 3, 4, 5], () => write(task.id, "stdout", 0, bytesOf("once only")), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [[0, "once only"]])
      })
    )

    test(
      "refuses a gap with a defect and stores nothing of it",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        yield* write(task.id, "stdout", 0, bytesOf("abc"))
        for (const [stream, offset] of [
          ["stdout", 4],
          ["stderr", 1]
        ] as const) {
          const exit = yield* Effect.exit(write(task.id, stream, offset, bytesOf("x")))
          assert(Exit.isFailure(exit))
          assert.isTrue(Cause.isDie(exit.cause))
        }
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [[0, "abc"]])
        assert.deepStrictEqual(yield* keptText(task.id, "stderr"), [])
      })
    )

    test(
      "stores nothing of nothing",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const none = new Uint8Array()
        const empty = yield* write(task.id, "stdout", 0, none)
        assert.deepStrictEqual([empty.size, empty.stored, empty.dropped, empty.droppedAt], [0, 0, 0, null])
        yield* write(task.id, "stdout", 0, bytesOf("abc"))
        const after = yield* write(task.id, "stdout", 3, none)
        assert.deepStrictEqual([after.size, after.stored], [3, 3])
        assert.strictEqual((yield* chunksOf(task.id, null)).length, 1)
      })
    )

    test(
      "takes 4 MB in one call",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const bytes = Uint8Array.from({ length: 4 * 1024 ** 2 }, (_, index) => (index * 31) % 251)
        const state = yield* write(task.id, "stdout", 0, bytes, 5 * 1024 ** 2)
        assert.strictEqual(state.stored, bytes.length)
        const [run] = yield* keptOf(task.id, "stdout")
        assert.isTrue(Buffer.from(run?.bytes ?? new Uint8Array()).equals(bytes))
      })
    )
  })
}

export const capContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`OutputStore cap over ${subject.name}`, () => {
    test(
      "keeps exactly the beginning and the end",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const atCap = yield* write(task.id, "stdout", 0, bytesOf("0123456"), 7)
        assert.deepStrictEqual([atCap.stored, atCap.dropped, atCap.droppedAt], [7, 0, null])
        const past = yield* write(task.id, "stdout", 7, bytesOf("78"), 7)
        assert.deepStrictEqual([past.size, past.stored, past.dropped, past.droppedAt], [9, 7, 2, 3])
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "012"],
          [5, "5678"]
        ])
        const far = yield* write(task.id, "stdout", 9, bytesOf("abcdefghij"), 7)
        assert.deepStrictEqual([far.size, far.stored, far.dropped, far.droppedAt], [19, 7, 12, 3])
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "012"],
          [15, "ghij"]
        ])
        assert.deepStrictEqual(yield* (yield* OutputStore).streams(task.id), [far])
      })
    )

    test(
      "holds for one write that is larger than the cap",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const state = yield* write(task.id, "stdout", 0, bytesOf("0123456789"), 5)
        assert.deepStrictEqual([state.size, state.stored, state.dropped, state.droppedAt], [10, 5, 5, 2])
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "01"],
          [7, "789"]
        ])
      })
    )

    test(
      "holds for each stream on its own",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        yield* write(task.id, "stderr", 0, bytesOf("warn"), 4)
        yield* write(task.id, "stdout", 0, bytesOf("0123456789"), 4)
        assert.deepStrictEqual(yield* keptText(task.id, "stderr"), [[0, "warn"]])
        const states = yield* (yield* OutputStore).streams(task.id)
        const dropped = new Map(states.map((state) => [state.stream, state.dropped]))
        assert.deepStrictEqual([dropped.get("stdout"), dropped.get("stderr")], [6, 0])
      })
    )

    test(
      "skips repeated bytes after some were dropped",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        const before = yield* write(task.id, "stdout", 0, bytesOf("0123456789"), 4)
        const repeated = yield* write(task.id, "stdout", 0, bytesOf("0123456789"), 4)
        assert.deepStrictEqual([repeated.size, repeated.dropped], [before.size, before.dropped])
        yield* write(task.id, "stdout", 8, bytesOf("89a"), 4)
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "01"],
          [9, "9a"]
        ])
      })
    )
  })
}

const skipTo = (taskId: TaskId, to: number, cap: number) =>
  Effect.flatMap(OutputStore, (store) => store.skip({ taskId, stream: "stdout", to }, { cap }))

export const skipContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`OutputStore.skip over ${subject.name}`, () => {
    test(
      "drops what would be dropped anyway, and the end is the end",
      Effect.gen(function* () {
        const { task } = yield* submitAndClaim()
        yield* write(task.id, "stdout", 0, bytesOf("0123456"), 10)
        const state = yield* skipTo(task.id, 95, 10)
        assert.deepInclude(state, { size: 95, stored: 5, dropped: 90, droppedAt: 5 })
        yield* write(task.id, "stdout", 95, bytesOf("abcde"), 10)
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "01234"],
          [95, "abcde"]
        ])
        yield* write(task.id, "stdout", 100, bytesOf("fg"), 10)
        assert.deepStrictEqual(yield* keptText(task.id, "stdout"), [
          [0, "01234"],
          [97, "cdefg"]
        ])
      })
    )

    test(
      "changes nothing before the beginning is stored, and never goes back",
      Effect.gen(function* () {
        const store = yield* OutputStore
        const { task } = yield* submitAndClaim()
        assert.deepInclude(yield* skipTo(task.id, 50, 10), { size: 0, stored: 0, dropped: 0 })
        yield* write(task.id, "stdout", 0, bytesOf("0123"), 10)
        assert.deepInclude(yield* skipTo(task.id, 50, 10), { size: 4, stored: 4, dropped: 0 })
        yield* write(task.id, "stdout", 4, bytesOf("456789"), 10)
        assert.deepInclude(yield* skipTo(task.id, 10, 10), { size: 10, stored: 10, dropped: 0 })
        const before = yield* skipTo(task.id, 30, 10)
        assert.deepStrictEqual(yield* skipTo(task.id, 20, 10), before)
        assert.deepStrictEqual(yield* store.streams(task.id), [before])
      })
    )

    test(
      "leaves the same bytes as a capture that read them all",
      Effect.gen(function* () {
        const samples = FastCheck.sample(
          FastCheck.record({
            cap: FastCheck.integer({ min: 2, max: 40 }),
            total: FastCheck.integer({ min: 0, max: 200 }),
            steps: FastCheck.array(
              FastCheck.record({ skip: FastCheck.boolean(), size: FastCheck.integer({ min: 1, max: 60 }) }),
              { maxLength: 8 }
            )
          }),
          { numRuns: 40, seed: 7 }
        )
        for (const { cap, steps, total } of samples) {
          const { id } = yield* submit()
          const whole = Uint8Array.from({ length: total }, (_, index) => index)
          const head = Math.floor(cap / 2)
          let at = 0
          for (const { size, skip } of [...steps, { skip: false, size: total }]) {
            const to = Math.min(at + size, skip ? total - (cap - head) : total)
            if (to <= at) continue
            const state = skip
              ? yield* skipTo(id, to, cap)
              : yield* write(id, "stdout", at, whole.subarray(at, to), cap)
            at = state.size
          }
          assert.strictEqual(at, total)
          const kept = joined((yield* keptOf(id, "stdout")).map((run) => run.bytes))
          const expected =
            total <= cap ? whole : joined([whole.subarray(0, head), whole.subarray(total - (cap - head))])
          assert.strictEqual(hex(kept), hex(expected), JSON.stringify({ cap, steps, total }))
        }
      })
    )
  })
}

export const readContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`OutputStore.read over ${subject.name}`, () => {
    test(
      "reads both streams in order of capture, forwards and backwards",
      Effect.gen(function* () {
        const store = yield* OutputStore
        const { task } = yield* submitAndClaim()
        const other = yield* submit()
        yield* write(other.id, "stdout", 0, bytesOf("not this"))
        const offsets = { stdout: 0, stderr: 0 }
        const printed: ReadonlyArray<readonly [StreamName, string]> = [
          ["stdout", "a1 "],
          ["stderr", "b1 "],
          ["stdout", "a2 "],
          ["stdout", "a3 "],
          ["stderr", "b2 "]
        ]
        for (const [stream, text] of printed) {
          yield* write(task.id, stream, offsets[stream], bytesOf(text))
          offsets[stream] += text.length
        }
        const all = yield* chunksOf(task.id, null, 2)
        const text = all.map((chunk) => [chunk.stream, new TextDecoder().decode(chunk.bytes)])
        assert.deepStrictEqual(
          text,
          printed.map((entry) => Array.from(entry))
        )
        assert.isTrue(all.every((chunk, index) => chunk.taskId === task.id && chunk.seq > (all[index - 1]?.seq ?? 0)))

        const page = { taskId: task.id, stream: null, before: null, limit: 2 }
        const newest = yield* store.readBack(page)
        assert.deepStrictEqual(newest, all.slice(-2).reverse())
        const next = yield* store.readBack({ ...page, before: newest[1]?.seq ?? null, limit: 10 })
        assert.deepStrictEqual(next, all.slice(0, -2).reverse())
        assert.deepStrictEqual(yield* store.readBack({ ...page, before: all[0]?.seq ?? null }), [])

        const errors = all.filter((chunk) => chunk.stream === "stderr")
        assert.deepStrictEqual(yield* chunksOf(task.id, "stderr"), errors)
        assert.deepStrictEqual(yield* store.readBack({ ...page, stream: "stderr" }), Array.from(errors).reverse())
      })
    )

    test(
      "reads nothing where nothing was printed",
      Effect.gen(function* () {
        const store = yield* OutputStore
        const { id } = yield* submit()
        assert.deepStrictEqual(yield* store.streams(id), [])
        assert.deepStrictEqual(yield* store.read({ taskId: id, stream: null, after: 0, limit: 10 }), [])
        assert.deepStrictEqual(yield* store.readBack({ taskId: id, stream: null, before: null, limit: 10 }), [])
      })
    )
  })
}
