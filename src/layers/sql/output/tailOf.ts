/** The end of what a task printed: to stdout, and to both streams as it came. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"

/** Bytes of an evaluation's output that are read for its score, and kept for the next round of a loop in all. */
export const tailBytes = 8000

/** Chunks that hold the tail: an evaluation may print a character at a time. */
const tailChunks = 400

const decoder = new TextDecoder()

export const makeTailOf = (sql: SqlClient.SqlClient) => {
  const findChunks = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ stream: Schema.Literal("stdout", "stderr"), bytes: Schema.Uint8ArrayFromSelf }),
    execute: (id) => sql`
      SELECT stream, bytes FROM task_output WHERE task_id = ${id} ORDER BY seq DESC LIMIT ${tailChunks}
    `
  }))

  return (id: TaskId) =>
    Effect.map(findChunks(id), (newestFirst) => {
      const join = (streams: ReadonlyArray<string>) => {
        const chunks: Array<Uint8Array> = []
        let size = 0
        for (const { bytes, stream } of newestFirst) {
          if (!streams.includes(stream)) continue
          if (size >= tailBytes) break
          chunks.unshift(bytes)
          size += bytes.length
        }
        const all = new Uint8Array(size)
        let at = 0
        for (const bytes of chunks) {
          all.set(bytes, at)
          at += bytes.length
        }
        return decoder.decode(all.subarray(Math.max(0, size - tailBytes)))
      }
      return { stdout: join(["stdout"]), printed: join(["stdout", "stderr"]) }
    })
}
