/** Deep pages of a log cost what a page costs, and hold what they would without the readers that make them cheap. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { outcome } from "../../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { readLog, start } from "../../../src/programs/output/readLog.ts"
import { submit } from "../../../src/programs/tasks/submit.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { finish, layer, person, submission, workerOf } from "../world.ts"

const running = Effect.gen(function* () {
  const queue = yield* Queue
  const [submitted] = (yield* submit([submission()], person)).tasks
  if (submitted === undefined) return yield* Effect.dieMessage("nothing was submitted")
  const claimed = yield* queue.claim({
    workerId: workerOf(7).id,
    maxConcurrency: 9,
    onlyWhenIdle: false,
    bootId: "boot-1",
    uptimeMs: 0,
    sinceBootMs: 0,
    uid: null
  })
  assert.isTrue(Option.isSome(claimed))
  return submitted.task.id
})

const print = Effect.fnUntraced(function* (taskId: TaskId, offset: number, text: string) {
  const store = yield* OutputStore
  yield* store.append({ taskId, stream: "stdout", offset, bytes: new TextEncoder().encode(text) }, { cap: 10_000_000 })
})

/** The agents, and how many lines their renderers were shown. */
const counted = Effect.map(Agents, (agents) => {
  const seen = { lines: 0 }
  const counting = Agents.of({
    ...agents,
    renderer: (name) =>
      Effect.map(agents.renderer(name), (renderer) => ({
        ...renderer,
        line: (line: string) => {
          seen.lines += 1
          return renderer.line(line)
        }
      }))
  })
  return { counting, seen }
})

const pageOf = (id: TaskId, since: string, raw = false) => readLog(id, { raw, since, lines: 0, maxBytes: 2000 })

const pages = (id: TaskId, raw = false) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    let since = start
    for (let more = true; more; ) {
      const page = yield* pageOf(id, since, raw)
      texts.push(page.text)
      since = page.next
      more = page.more
    }
    return texts
  })

const lines = 4000
const text = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `line ${String(from + at).padStart(6, "0")}\n`).join("")
const size = text(0, lines).length

const logged = Effect.gen(function* () {
  const id = yield* running
  // Chunks that end within a line.
  const all = text(0, lines)
  for (let at = 0; at < all.length; at += 1001) yield* print(id, at, all.slice(at, at + 1001))
  return id
})

describe("the pages of a log", () => {
  it.effect("show a renderer each line once, however many pages there are", () =>
    Effect.gen(function* () {
      const id = yield* logged
      yield* finish(id, outcome({ status: "completed", cause: "exit" }))
      const { counting, seen } = yield* counted
      const texts = yield* Effect.provideService(pages(id), Agents, counting)
      assert.strictEqual(`${texts.join("\n")}\n`, text(0, lines))
      assert.isAbove(texts.length, 20)
      assert.strictEqual(seen.lines, lines)
      assert.strictEqual(`${(yield* pages(id, true)).join("\n")}\n`, text(0, lines))
    }).pipe(Effect.provide(layer()))
  )

  it.effect("are the same for a reader that comes to one again, and for two at a time", () =>
    Effect.gen(function* () {
      const id = yield* logged
      yield* finish(id, outcome({ status: "completed", cause: "exit" }))
      const once = yield* pages(id)
      const places = [start]
      for (const [at, expected] of once.entries()) {
        const since = places[at] ?? start
        for (let time = 0; time < 3; time += 1) {
          const page = yield* pageOf(id, since)
          assert.strictEqual(page.text, expected)
          places[at + 1] = page.next
        }
      }
      const [left, right] = yield* Effect.all([pages(id), pages(id)], { concurrency: 2 })
      assert.deepStrictEqual([left, right], [once, once])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("of a running task cost a poll what is new in it", () =>
    Effect.gen(function* () {
      const id = yield* logged
      const { counting, seen } = yield* counted
      const read = (since: string) => Effect.provideService(pageOf(id, since), Agents, counting)
      let { more, next } = yield* read(start)
      while (more) ({ more, next } = yield* read(next))
      seen.lines = 0
      let at = size
      for (let round = 0; round < 20; round += 1) {
        const fresh = text(lines + round, lines + round + 1)
        yield* print(id, at, fresh)
        at += fresh.length
        const page = yield* read(next)
        assert.strictEqual(`${page.text}\n`, fresh)
        next = page.next
      }
      assert.strictEqual(seen.lines, 20)
    }).pipe(Effect.provide(layer()))
  )
})
