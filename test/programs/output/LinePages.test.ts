/** Lines in both directions: every line once, in order, whichever way the output was cut into chunks and pages. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import type { StreamName } from "../../../src/domain/output/Output.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { linesAfter, linesBefore, type OutputLine } from "../../../src/programs/output/LinePages.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { bytesOf } from "../../support/output.ts"
import { failed, submit } from "../../support/tasks.ts"
import { finish, layer } from "../world.ts"

const printer = (taskId: TaskId, cap = 1_000_000) =>
  Effect.gen(function* () {
    const output = yield* OutputStore
    const offsets = { stdout: 0, stderr: 0 }
    return (text: string, stream: StreamName = "stdout") =>
      Effect.suspend(() => {
        const bytes = bytesOf(text)
        const offset = offsets[stream]
        offsets[stream] += bytes.length
        return output.append({ taskId, stream, offset, bytes }, { cap })
      })
  })

/** All lines from the end to the beginning, in pages of this size. */
const backwards = Effect.fnUntraced(function* (id: TaskId, lines: number) {
  const found: Array<OutputLine> = []
  let page = yield* linesBefore(id, { before: null, lines })
  const { after } = page
  while (true) {
    found.unshift(...page.lines)
    if (page.before === null) return { found, after }
    page = yield* linesBefore(id, { before: page.before, lines })
  }
})

const textsOf = (lines: ReadonlyArray<OutputLine>, stream?: StreamName) =>
  lines.filter((line) => stream === undefined || line.stream === stream).map(({ text }) => text)

/** Pieces of output that end anywhere: within a line, within a character, with many lines. */
const pieces = FastCheck.array(
  FastCheck.record({
    stream: FastCheck.constantFrom<StreamName>("stdout", "stdout", "stderr"),
    text: FastCheck.stringMatching(/^[a-c\n]{1,12}$/)
  }),
  { minLength: 1, maxLength: 20 }
)

const expected = (printed: ReadonlyArray<{ stream: StreamName; text: string }>, stream: StreamName) => {
  const text = printed
    .filter((piece) => piece.stream === stream)
    .map((piece) => piece.text)
    .join("")
  const lines = text.split("\n")
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

describe("linesBefore and linesAfter", () => {
  it.effect.prop(
    "have each line of each stream once, in pages of any size",
    [pieces, FastCheck.integer({ min: 1, max: 9 })],
    ([printed, size]) =>
      Effect.gen(function* () {
        const { id } = yield* submit()
        const print = yield* printer(id)
        for (const { stream, text } of printed) yield* print(text, stream)
        yield* finish(id, failed)
        const { found } = yield* backwards(id, size)
        for (const stream of ["stdout", "stderr"] as const) {
          assert.deepStrictEqual(textsOf(found, stream), expected(printed, stream))
        }
      }).pipe(Effect.provide(layer())),
    { fastCheck: { numRuns: 25 } }
  )

  it.effect.prop(
    "continue behind a page with what comes, also where a line was unfinished",
    [pieces, pieces, FastCheck.integer({ min: 1, max: 9 })],
    ([printed, later, size]) =>
      Effect.gen(function* () {
        const { id } = yield* submit()
        const print = yield* printer(id)
        for (const { stream, text } of printed) yield* print(text, stream)
        const { after, found } = yield* backwards(id, size)
        for (const { stream, text } of later) yield* print(text, stream)
        yield* finish(id, failed)
        const parts = Chunk.toReadonlyArray(yield* Stream.runCollect(linesAfter(id, after)))
        const followed = parts.flatMap(({ lines }) => lines)
        for (const stream of ["stdout", "stderr"] as const) {
          assert.deepStrictEqual(textsOf([...found, ...followed], stream), expected([...printed, ...later], stream))
        }
        // A reader that was cut off continues at any place that it was given.
        for (const [at, part] of parts.entries()) {
          const rest = Chunk.toReadonlyArray(yield* Stream.runCollect(linesAfter(id, part.after)))
          const again = [...parts.slice(0, at + 1), ...rest].flatMap(({ lines }) => lines)
          for (const stream of ["stdout", "stderr"] as const) {
            assert.deepStrictEqual(textsOf(again, stream), textsOf(followed, stream), part.after)
          }
        }
      }).pipe(Effect.provide(layer())),
    { fastCheck: { numRuns: 15 } }
  )

  it.effect("give the newest lines without reading what is before them", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const print = yield* printer(id)
      yield* print(Array.from({ length: 5000 }, (_, n) => `line ${n}\n`).join(""))
      const page = yield* linesBefore(id, { before: null, lines: 3 })
      assert.deepStrictEqual(textsOf(page.lines), ["line 4997", "line 4998", "line 4999"])
      const older = yield* linesBefore(id, { before: page.before, lines: 2 })
      assert.deepStrictEqual(textsOf(older.lines), ["line 4995", "line 4996"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("say where output was dropped", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const print = yield* printer(id, 200)
      for (let n = 0; n < 100; n += 1) yield* print(`line ${n}\n`)
      yield* finish(id, failed)
      const { found } = yield* backwards(id, 5)
      const texts = textsOf(found)
      assert.strictEqual(texts[0], "line 0")
      assert.strictEqual(texts.at(-1), "line 99")
      assert.lengthOf(
        texts.filter((text) => text.includes("dropped")),
        1
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuse a place that none of them gave", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const refused = yield* Effect.flip(linesBefore(id, { before: "12", lines: 5 }))
      assert.strictEqual(refused._tag, "InvalidInput")
    }).pipe(Effect.provide(layer()))
  )
})
