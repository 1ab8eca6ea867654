/** Reads stored output back as a test needs it: whole, and checked for order. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { OutputChunk, StreamName } from "../../src/domain/output/Output.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Bytes as text that a failed comparison can show. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** All chunks, page by page. */
export const chunksOf = (taskId: TaskId, stream: StreamName | null, limit = 3) =>
  Effect.gen(function* () {
    const store = yield* OutputStore
    const all: Array<OutputChunk> = []
    while (true) {
      const page = yield* store.read({ taskId, stream, after: all.at(-1)?.seq ?? 0, limit })
      assert.isAtMost(page.length, limit)
      all.push(...page)
      if (page.length === 0) return all
    }
  })

/** The bytes of one stream that are kept before and after what was dropped. Dies where chunks overlap or are out of order. */
export const keptOf = (taskId: TaskId, stream: StreamName) =>
  Effect.gen(function* () {
    const chunks = yield* chunksOf(taskId, stream)
    const runs: Array<{ offset: number; parts: Array<Uint8Array>; end: number }> = []
    for (const chunk of chunks) {
      assert.isAbove(chunk.bytes.length, 0)
      const last = runs.at(-1)
      if (last !== undefined && chunk.offset === last.end) {
        last.parts.push(chunk.bytes)
        last.end += chunk.bytes.length
      } else {
        assert.isAbove(chunk.offset, last?.end ?? -1)
        runs.push({ offset: chunk.offset, parts: [chunk.bytes], end: chunk.offset + chunk.bytes.length })
      }
    }
    return runs.map((run) => ({ offset: run.offset, bytes: joined(run.parts) }))
  })
