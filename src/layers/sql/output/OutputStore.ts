/** Captured output on SQLite: rows of at most 64 KiB, beginning and end kept, each byte stored once. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { emptiedAt, type Gap, gapAfter, gapTo, grown, headOf, pieces, untouched } from "../../../domain/output/Gap.ts"
import { StreamName, StreamState } from "../../../domain/output/Output.ts"
import { ByteCount, TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { type Append, OutputStore } from "../../../services/OutputStore.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeSettle } from "../budgets/settle.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeWindows } from "../limits/windows.ts"
import { makeAgentRequests } from "../questions/agentRequests.ts"
import { ChunkRow } from "../tasks/Rows.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"

const One = Schema.Struct({ taskId: TaskId, stream: StreamName })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const windows = makeWindows(sql)
  const settle = makeSettle(sql)
  const requests = makeAgentRequests(sql, yield* Ids)

  const findStream = Statement.findOne(() => ({
    Request: One,
    Result: StreamState,
    execute: ({ stream, taskId }) => sql`SELECT * FROM task_streams WHERE task_id = ${taskId} AND stream = ${stream}`
  }))

  const findStreams = Statement.findAll(() => ({
    Request: TaskId,
    Result: StreamState,
    execute: (taskId) => sql`SELECT * FROM task_streams WHERE task_id = ${taskId} ORDER BY stream DESC`
  }))

  const findLastSeq = Statement.single(() => ({
    Request: TaskId,
    Result: Schema.Struct({ seq: Schema.Int }),
    execute: (taskId) => sql`SELECT coalesce(max(seq), 0) AS seq FROM task_output WHERE task_id = ${taskId}`
  }))

  /** The row that holds the byte before `at`, or that ends there. */
  const findAround = Statement.findOne(() => ({
    Request: Schema.Struct({ ...One.fields, at: Schema.Int }),
    Result: Schema.Struct({ offset: Schema.Int, size: Schema.Int }),
    execute: ({ at, stream, taskId }) => sql`
      SELECT "offset", size FROM task_output
      WHERE task_id = ${taskId} AND stream = ${stream} AND "offset" < ${at} ORDER BY "offset" DESC LIMIT 1
    `
  }))

  const insertChunk = Statement.run(() => ({
    Request: Schema.Struct({
      ...One.fields,
      seq: Schema.Int,
      offset: ByteCount,
      size: ByteCount,
      at: Timestamp,
      bytes: Schema.Uint8ArrayFromSelf
    }),
    execute: (row) => sql`INSERT INTO task_output ${sql.insert(row)}`
  }))

  const saveStream = Statement.run(() => ({
    Request: StreamState,
    execute: (row) => sql`
      INSERT INTO task_streams ${sql.insert(row)}
      ON CONFLICT (task_id, stream) DO UPDATE SET size = excluded.size, stored = excluded.stored,
        dropped = excluded.dropped, dropped_at = excluded.dropped_at, base = excluded.base,
        emptied = excluded.emptied, since = excluded.since, updated_at = excluded.updated_at
    `
  }))

  /** Deletes the rows of which nothing is kept. */
  const drop = ({ stream, taskId }: Pick<Append, "stream" | "taskId">, gap: Gap) => sql`
    DELETE FROM task_output
    WHERE task_id = ${taskId} AND stream = ${stream}
      AND "offset" >= ${gap.from} AND "offset" < ${gap.to} AND "offset" + size <= ${gap.to}
  `

  /** Where the beginning that is kept ends: rows are split there, but for a cap that has changed since. */
  const headEnd = (write: Pick<Append, "stream" | "taskId">, cap: number) =>
    Effect.map(
      findAround({ taskId: write.taskId, stream: write.stream, at: headOf(cap) }),
      Option.match({
        onNone: () => headOf(cap),
        onSome: ({ offset, size }) => (offset + size > headOf(cap) ? offset : headOf(cap))
      })
    )

  const standing = (one: typeof One.Type, now: number) =>
    Effect.map(
      findStream(one),
      Option.getOrElse(() => untouched(one, now))
    )

  const skip = ({ stream, taskId, to }: typeof One.Type & { readonly to: number }, cap: number) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = yield* standing({ taskId, stream }, now)
      const head = before.droppedAt ?? (yield* headEnd({ taskId, stream }, cap))
      const gap = gapTo(before, head, to)
      if (gap === null) return before
      yield* drop({ taskId, stream }, gap)
      const after = grown(before, to, gap, now)
      yield* saveStream(after)
      return after
    })

  const restart = ({ at, stream, taskId }: typeof One.Type & { readonly at: number }) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = yield* standing({ taskId, stream }, now)
      const after = emptiedAt(before, at, now)
      if (after !== before) yield* saveStream(after)
      return after
    })

  const append = (write: Append, cap: number) =>
    Effect.gen(function* () {
      const { bytes, offset, stream, taskId } = write
      const now = yield* Clock.currentTimeMillis
      const before = yield* standing({ taskId, stream }, now)
      if (offset > before.size) {
        return yield* Effect.dieMessage(
          `bytes from ${offset} of ${stream} of task ${taskId}: ${before.size} are captured`
        )
      }
      const size = offset + bytes.length
      if (size <= before.size) return before

      const head = before.droppedAt ?? (size > cap ? yield* headEnd(write, cap) : headOf(cap))
      const gap = gapAfter(before, { size, cap, head })
      const last = yield* findLastSeq(taskId).pipe(orDieWhenMissing)
      let seq = last.seq
      for (const piece of pieces({ from: before.size, to: size, head, gap })) {
        seq += 1
        const part = bytes.subarray(piece.from - offset, piece.to - offset)
        yield* insertChunk({ taskId, seq, stream, offset: piece.from, size: part.length, at: now, bytes: part })
      }
      if (gap !== null) yield* drop(write, gap)
      const after = grown(before, size, gap, now)
      yield* saveStream(after)
      yield* windows.observe(taskId, write.signals ?? [])
      for (const id of write.taken ?? []) {
        yield* sql`
          UPDATE messages SET state = 'taken', taken_at = ${now}, claim_id = NULL
          WHERE id = ${id} AND task_id = ${taskId} AND state IN ('stored', 'written')
        `
      }
      yield* requests.asked(taskId, write.asked ?? [])
      yield* requests.replied(taskId, write.replied ?? [])
      if (write.use !== undefined) yield* settle.running(taskId, write.use)
      return after
    })

  const chunks = sql.literal(
    `o.task_id, o.seq, o.stream, o."offset", o.bytes, o.at, s.dropped_at, s.dropped
     FROM task_output o JOIN task_streams s ON s.task_id = o.task_id AND s.stream = o.stream`
  )
  const Page = Schema.Struct({
    ...One.fields,
    stream: Schema.NullOr(StreamName),
    edge: Schema.Number,
    limit: Schema.Int
  })

  const findAfter = Statement.findAll(() => ({
    Request: Page,
    Result: ChunkRow,
    execute: ({ edge, limit, stream, taskId }) => sql`
      SELECT ${chunks} WHERE o.task_id = ${taskId} AND o.seq > ${edge} AND o.stream = coalesce(${stream}, o.stream)
      ORDER BY o.seq LIMIT ${limit}
    `
  }))

  const findBefore = Statement.findAll(() => ({
    Request: Page,
    Result: ChunkRow,
    execute: ({ edge, limit, stream, taskId }) => sql`
      SELECT ${chunks} WHERE o.task_id = ${taskId} AND o.seq < ${edge} AND o.stream = coalesce(${stream}, o.stream)
      ORDER BY o.seq DESC LIMIT ${limit}
    `
  }))

  return OutputStore.of({
    append: Effect.fn("OutputStore.append")((write, { cap }) => append(write, cap).pipe(access.write("append"))),

    skip: Effect.fn("OutputStore.skip")((position, { cap }) => skip(position, cap).pipe(access.write("skip"))),

    restart: Effect.fn("OutputStore.restart")((position) => restart(position).pipe(access.write("restart"))),

    streams: Effect.fn("OutputStore.streams")((taskId) => findStreams(taskId).pipe(access.read("streams"))),

    read: Effect.fn("OutputStore.read")(({ after, ...page }) =>
      findAfter({ ...page, edge: after }).pipe(access.read("read"))
    ),

    readBack: Effect.fn("OutputStore.readBack")(({ before, ...page }) =>
      findBefore({ ...page, edge: before ?? Number.MAX_SAFE_INTEGER }).pipe(access.read("readBack"))
    )
  })
})

export const layer = Layer.effect(OutputStore, make)
