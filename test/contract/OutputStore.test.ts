/** The contract of the output store, over every store, and its cap over random writes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { hex, keptOf } from "../support/output.ts"
import { type Subject, subjects } from "../support/stores.ts"
import { submit } from "../support/tasks.ts"
import { appendContract, capContract, readContract, skipContract } from "./output.ts"

const writes = FastCheck.record({
  cap: FastCheck.integer({ min: 1, max: 40 }),
  /** The length of each write, and how many bytes before it are sent once more. */
  steps: FastCheck.array(
    FastCheck.tuple(FastCheck.integer({ min: 0, max: 25 }), FastCheck.integer({ min: 0, max: 8 })),
    {
      maxLength: 12
    }
  )
})

const capProperty = (subject: Subject) =>
  describe(`OutputStore over ${subject.name}`, () => {
    it.effect("keeps floor(cap / 2) bytes of the beginning and the rest of the cap at the end, always", () =>
      Effect.gen(function* () {
        const store = yield* OutputStore
        const cases = FastCheck.sample(writes, { numRuns: 60, seed: 7 })
        for (const { cap, steps } of cases) {
          const { id } = yield* submit()
          const printed = Uint8Array.from({ length: 400 }, (_, index) => (index * 7) % 256)
          let size = 0
          for (const [length, repeated] of steps) {
            const offset = Math.max(0, size - repeated)
            const bytes = printed.subarray(offset, size + length)
            const state = yield* store.append({ taskId: id, stream: "stdout", offset, bytes }, { cap })
            size += length
            const dropped = Math.max(0, size - cap)
            assert.deepStrictEqual([state.size, state.stored, state.dropped], [size, size - dropped, dropped])
          }
          const head = Math.min(size, Math.floor(cap / 2))
          const tail = size <= cap ? head : size - (cap - Math.floor(cap / 2))
          const runs = yield* keptOf(id, "stdout")
          const kept = runs.map(({ bytes, offset }) => `${offset}:${hex(bytes)}`)
          const expected = (size <= cap ? [[0, size] as const] : [[0, head] as const, [tail, size] as const])
            .filter(([from, to]) => to > from)
            .map(([from, to]) => `${from}:${hex(printed.subarray(from, to))}`)
          assert.deepStrictEqual(kept, expected)
        }
      }).pipe(Effect.provide(subject.layer))
    )
  })

for (const subject of subjects) {
  appendContract(subject)
  capContract(subject)
  skipContract(subject)
  readContract(subject)
  capProperty(subject)
}
