/** Makes deliveries of notices: each hook reads on from its cursor, and what it selects is stored with the new cursor. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Notice } from "../../../domain/events/Notice.ts"
import type { Hook } from "../../../domain/hooks/Hook.ts"
import { HookMessage, type HookNotice, messageOf } from "../../../domain/hooks/HookMessage.ts"
import { selects } from "../../../domain/hooks/selects.ts"
import { Labels } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import { direct } from "../database/direct.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { storedFlag } from "../tasks/Rows.ts"

/** How many notices one transaction handles: other processes wait meanwhile. */
const batch = 200

const Cursor = Schema.Struct({ hook: Schema.String, seq: Schema.Int })

/** Data that cannot be read is left out of the notice, so that no hook stops at it. */
const NoticeRow = Schema.Struct({
  ...Notice.fields,
  data: Schema.parseJson(Notice.fields.data).annotations({ decodingFallback: () => Effect.succeed({}) }),
  labels: Schema.NullOr(Schema.parseJson(Labels)).annotations({ decodingFallback: () => Effect.succeed(null) }),
  directory: Schema.NullOr(Schema.String),
  depth: Schema.NullOr(Schema.Int),
  evaluates: storedFlag
})

const encode = Schema.encodeSync(Schema.parseJson(HookMessage))

const loadTraces = Effect.promise(async () => {
  const { traceStatement } = await import("./traceStatement.ts")
  const { traceBody } = await import("../../../domain/traces/traceBody.ts")
  return { traceStatement, traceBody }
})

type Traces = Effect.Effect.Success<typeof loadTraces>

/** What makes the messages of these hooks, loaded outside of a transaction; null: nothing more is needed. */
export const tracesFor = (hooks: ReadonlyArray<Hook>): Effect.Effect<Traces | null> =>
  hooks.some(({ kind }) => kind === "otlp") ? loadTraces : Effect.succeed(null)

const FactsRow = Schema.Array(Schema.Struct({ facts: Schema.String }))

export const makeDecide = (sql: SqlClient.SqlClient, access: Access, ids: Ids["Type"]) => {
  const findCursors = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Cursor,
    execute: () => sql`SELECT hook, seq FROM hook_cursors ORDER BY hook`
  }))

  const findNewest = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ newest: Schema.Int }),
    execute: () => sql`SELECT coalesce((SELECT max(seq) FROM notices), 0) AS newest`
  }))

  const findNotices = Statement.findAll(() => ({
    Request: Schema.Struct({ after: Schema.Int, limit: Schema.Int }),
    Result: NoticeRow,
    // What ended may be no task: a hook that submits work on its end must be as deep as one that does so on a task's.
    execute: ({ after, limit }) => sql`
      SELECT notices.seq, notices.kind, notices.at, notices.task_id, notices.pipeline_id, notices.subject, notices.data,
        tasks.agent, tasks.title, tasks.labels, tasks.directory,
        CASE
          WHEN notices.task_id IS NOT NULL THEN tasks.depth
          WHEN notices.pipeline_id IS NOT NULL THEN
            (SELECT max(step.depth) FROM tasks step WHERE step.id IN
              (SELECT task_id FROM pipeline_steps WHERE pipeline_id = notices.pipeline_id))
          WHEN notices.kind = 'loop-ended' THEN
            (SELECT max(work.depth) FROM tasks work WHERE work.id IN
              (SELECT task_id FROM loop_round_tasks WHERE loop_id = notices.subject))
          WHEN notices.kind = 'contest-ended' THEN
            (SELECT max(work.depth) FROM tasks work WHERE work.id IN
              (SELECT task_id FROM contest_tasks WHERE contest_id = notices.subject))
        END AS depth,
        EXISTS (
          SELECT 1 FROM loop_round_tasks own
          JOIN loop_tasks captured ON captured.loop_id = own.loop_id AND captured.position = own.position
          WHERE own.task_id = notices.task_id AND captured.role <> 'work'
          UNION ALL
          SELECT 1 FROM contest_tasks own WHERE own.task_id = notices.task_id AND own.role IN ('check', 'score')
        ) AS evaluates
      FROM notices LEFT JOIN tasks ON tasks.id = notices.task_id
      WHERE notices.seq > ${after} ORDER BY notices.seq LIMIT ${limit}
    `
  }))

  const saveCursor = Statement.run(() => ({
    Request: Cursor,
    execute: ({ hook, seq }) => sql`
      INSERT INTO hook_cursors (hook, seq) VALUES (${hook}, ${seq}) ON CONFLICT (hook) DO UPDATE SET seq = excluded.seq
    `
  }))

  /** The spans of what the notice ended; null: there are none. */
  const spansOf = Effect.fn(function* (notice: Notice, { traceStatement, traceBody }: Traces) {
    const statement = traceStatement(notice)
    if (statement === null) return null
    const [text, id] = statement
    const [row] = yield* Effect.flatMap(direct(sql.unsafe(text, [id])), Schema.decodeUnknown(FactsRow))
    return row === undefined ? null : traceBody(notice, row.facts)
  })

  /** `traces` is what the hook needs. A notice without spans leaves nothing to send to a hook that exports them. */
  const save = Effect.fn(function* (hook: Hook, notice: HookNotice, now: number, traces: Traces | null) {
    const id = `msg_${(yield* ids.uuid).replaceAll("-", "")}`
    const plain = hook.kind !== "otlp" || traces === null
    const body = plain ? encode(messageOf(id, hook.name, notice)) : yield* spansOf(notice, traces)
    if (body === null) return
    const row = {
      hook: hook.name,
      seq: notice.seq,
      id,
      kind: notice.kind,
      taskId: notice.taskId,
      state: "due",
      nextAt: now + (hook.sumMs ?? 0),
      setAt: now,
      createdAt: now,
      body
    }
    yield* sql`INSERT INTO deliveries ${sql.insert(row)} ON CONFLICT (hook, seq) DO NOTHING`
  })

  /** The newest notice, and the hooks that have not read up to it. */
  const behind = Effect.fn(function* (hooks: ReadonlyArray<Hook>) {
    const cursors = new Map((yield* findCursors()).map(({ hook, seq }) => [hook, seq]))
    const newest = (yield* findNewest())[0]?.newest ?? 0
    const late = hooks.flatMap((hook) => {
      const seq = cursors.get(hook.name) ?? null
      return seq === null || seq < newest ? [{ hook, seq }] : []
    })
    return { late, newest }
  })

  const decide = (hooks: ReadonlyArray<Hook>, traces: Traces | null) =>
    Effect.gen(function* () {
      const { late, newest } = yield* behind(hooks)
      const now = yield* Clock.currentTimeMillis
      for (const { hook, seq } of late) if (seq === null) yield* saveCursor({ hook: hook.name, seq: newest })
      const readers = late.flatMap(({ hook, seq }) => (seq === null ? [] : [{ hook, seq }]))
      if (readers.length === 0) return false
      const after = Math.min(...readers.map(({ seq }) => seq))
      const notices = yield* findNotices({ after, limit: batch })
      const last = notices.length < batch ? newest : (notices.at(-1)?.seq ?? newest)
      for (const { hook, seq } of readers) {
        for (const notice of notices)
          if (notice.seq > seq && selects(hook, notice)) yield* save(hook, notice, now, traces)
        if (last > seq) yield* saveCursor({ hook: hook.name, seq: last })
      }
      return last < newest
    }).pipe(access.write("deliveries.decide"))

  return {
    cursors: findCursors,
    notices: findNotices,
    save,
    decide: Effect.fn("Deliveries.decide")(function* (hooks: ReadonlyArray<Hook>) {
      // Almost every look finds nothing, and takes no lock.
      const { late } = yield* behind(hooks).pipe(access.read("deliveries.decide"))
      return late.length === 0 ? false : yield* decide(hooks, yield* tracesFor(hooks))
    })
  }
}
