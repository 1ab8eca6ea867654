/** Reading output in pages: every line once, whatever the page size, and never half a character. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StreamName } from "../../../src/domain/output/Output.ts"
import { outcome } from "../../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { readLog, start } from "../../../src/programs/output/readLog.ts"
import { submit } from "../../../src/programs/tasks/submit.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { finish, layer, person, submission, workerOf } from "../world.ts"

const cap = { cap: 1_000_000 }

const running = Effect.gen(function* () {
  const queue = yield* Queue
  const [submitted] = (yield* submit([submission()], person)).tasks
  if (submitted === undefined) return yield* Effect.dieMessage("nothing was submitted")
  const claimed = yield* queue.claim({
    workerId: workerOf(7).id,
    maxConcurrency: 9,
    onlyWhenIdle: false,
    bootId: "boot-1",
    uptimeMs: 1_000_000,
    sinceBootMs: 1_000_000,
    uid: null
  })
  assert.isTrue(Option.isSome(claimed))
  return submitted.task.id
})

/** Prints texts one after the other, each as a chunk. */
const printer = (taskId: TaskId) => {
  const offsets: Record<StreamName, number> = { stdout: 0, stderr: 0 }
  return Effect.fnUntraced(function* (text: string | Uint8Array, stream: StreamName = "stdout") {
    const store = yield* OutputStore
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text
    yield* store.append({ taskId, stream, offset: offsets[stream], bytes }, cap)
    offsets[stream] += bytes.length
  })
}

const page = (id: TaskId, since: string | null, maxBytes = 1000, lines = 2) =>
  readLog(id, { raw: false, since, lines, maxBytes })

describe("readLog", () => {
  it.effect("continues where the previous page ended, and keeps an unfinished line for later", () =>
    Effect.gen(function* () {
      const id = yield* running
      const print = printer(id)
      yield* print("one\ntwo\nthr")
      const first = yield* page(id, start)
      assert.deepInclude(first, { text: "one\ntwo", more: false })
      yield* print("ee\nfo")
      yield* print("warning\n", "stderr")
      const second = yield* page(id, first.next)
      assert.strictEqual(second.text, "three\nwarning")
      yield* finish(id, outcome({ status: "completed", cause: "exit" }))
      const third = yield* page(id, second.next)
      assert.deepInclude(third, { text: "fo", status: "completed", more: false })
      assert.strictEqual((yield* page(id, third.next)).text, "")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("tells every line once over pages of any size, though chunks cut characters", () =>
    Effect.gen(function* () {
      const id = yield* running
      const print = printer(id)
      const lines = Array.from({ length: 60 }, (_, index) => `行 ${index} ${"𠮷".repeat(index % 7)}`)
      const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`)
      for (let from = 0; from < bytes.length; from += 11) yield* print(bytes.subarray(from, from + 11))
      yield* finish(id, outcome({ status: "completed", cause: "exit" }))
      for (const size of [40, 100, 333]) {
        const seen: Array<string> = []
        let since = start
        for (let more = true; more; ) {
          const next = yield* page(id, since, size)
          assert.isAtMost(new TextEncoder().encode(next.text).length, size)
          if (next.text !== "") seen.push(...next.text.split("\n"))
          since = next.next
          more = next.more
        }
        assert.deepStrictEqual(seen, lines)
      }
    }).pipe(Effect.provide(layer()))
  )

  it.effect("gives the last lines, and what follows them afterwards", () =>
    Effect.gen(function* () {
      const id = yield* running
      const print = printer(id)
      yield* print("quiet\n", "stderr")
      yield* print("a\nb\nc\nd\n")
      const end = yield* page(id, null)
      assert.strictEqual(end.text, "c\nd")
      yield* print("e\n")
      assert.strictEqual((yield* page(id, end.next)).text, "e")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("cuts a line that is larger than a page, and continues after it", () =>
    Effect.gen(function* () {
      const id = yield* running
      yield* printer(id)(`${"漢".repeat(500)}\nshort\n`)
      const first = yield* page(id, start, 100)
      assert.match(first.text, /^漢{33}…$/)
      assert.isTrue(first.more)
      assert.strictEqual((yield* page(id, first.next, 100)).text, "short")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses what is not a position", () =>
    Effect.gen(function* () {
      const id = yield* running
      const error = yield* Effect.flip(page(id, "12"))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "since" })
    }).pipe(Effect.provide(layer()))
  )
})
