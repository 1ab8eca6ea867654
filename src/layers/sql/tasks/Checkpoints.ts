/** Checkpoints on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskNotFound } from "../../../domain/Errors.ts"
import { Checkpoint, GitHead } from "../../../domain/task/Checkpoint.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { Checkpoints } from "../../../services/Checkpoints.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing } from "./TaskRows.ts"

const Stored = Schema.parseJson(Checkpoint)

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

  const findStart = Statement.findOne(() => ({
    Request: TaskId,
    Result: GitHead,
    execute: (id) => sql`SELECT branch, "commit" FROM task_starts WHERE task_id = ${id}`
  }))

  const findContent = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ content: Stored }),
    execute: (id) => sql`SELECT content FROM checkpoints WHERE task_id = ${id}`
  }))

  const insert = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: TaskId, takenAt: Timestamp, content: Stored }),
    Result: Schema.Struct({ taskId: TaskId }),
    execute: ({ content, takenAt, taskId }) => sql`
      INSERT INTO checkpoints (task_id, taken_at, content)
      SELECT id, ${takenAt}, ${content} FROM tasks WHERE id = ${taskId}
      ON CONFLICT (task_id) DO NOTHING
      RETURNING task_id
    `
  }))

  /** Only what cannot be read is replaced. */
  const replace = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: TaskId, takenAt: Timestamp, content: Stored }),
    Result: Schema.Struct({ taskId: TaskId }),
    execute: ({ content, takenAt, taskId }) => sql`
      UPDATE checkpoints SET taken_at = ${takenAt}, content = ${content} WHERE task_id = ${taskId} RETURNING task_id
    `
  }))

  const findMissing = Statement.findAll(() => ({
    Request: Schema.Struct({ after: Schema.Number, limit: Schema.Number }),
    Result: Schema.Struct({ seq: Schema.Int, taskId: TaskId, at: Timestamp }),
    execute: ({ after, limit }) => sql`
      SELECT outbox.seq, outbox.id AS task_id, outbox.at FROM outbox JOIN tasks ON tasks.id = outbox.id
      WHERE outbox.seq > ${after} AND outbox.kind = 'task' AND tasks.started_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE checkpoints.task_id = outbox.id)
      ORDER BY outbox.seq LIMIT ${limit}
    `
  }))

  const findReached = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ seq: Schema.Int }),
    execute: () => sql`SELECT coalesce(max(seq), 0) AS seq FROM outbox_readers WHERE name = 'checkpoints'`
  }))

  /** One that cannot be read counts as none: the next one that is taken replaces it. */
  const content = (id: TaskId) =>
    findContent(id).pipe(
      Effect.map(Option.map((row) => row.content)),
      Effect.catchTag("ParseError", () => Effect.succeedNone)
    )

  return Checkpoints.of({
    started: Effect.fn("Checkpoints.started")(function* (claimId, { branch, commit }) {
      const at = yield* Clock.currentTimeMillis
      yield* sql`
        INSERT INTO task_starts (task_id, branch, "commit", at)
        SELECT task_id, ${branch}, ${commit}, ${at} FROM claims WHERE claim_id = ${claimId}
        ON CONFLICT (task_id) DO UPDATE SET branch = excluded.branch, "commit" = excluded."commit", at = excluded.at
      `.pipe(access.write("started"))
    }),

    startOf: Effect.fn("Checkpoints.startOf")((id) => findStart(id).pipe(access.read("startOf"))),

    store: Effect.fn("Checkpoints.store")((checkpoint) =>
      Effect.gen(function* () {
        const { taskId, takenAt } = checkpoint
        const inserted = yield* insert({ taskId, takenAt, content: checkpoint })
        if (Option.isSome(inserted)) return checkpoint
        const first = yield* content(taskId)
        if (Option.isSome(first)) return first.value
        const replaced = yield* replace({ taskId, takenAt, content: checkpoint })
        return Option.isSome(replaced) ? checkpoint : yield* new TaskNotFound({ reference: taskId })
      }).pipe(access.write("store"))
    ),

    get: Effect.fn("Checkpoints.get")((id) => content(id).pipe(access.read("checkpoint"))),

    missing: Effect.fn("Checkpoints.missing")((after, limit) =>
      findMissing({ after, limit }).pipe(access.read("missing"))
    ),

    reached: findReached().pipe(
      orDieWhenMissing,
      access.read("reached"),
      Effect.map(({ seq }) => seq),
      Effect.withSpan("Checkpoints.reached")
    ),

    advance: Effect.fn("Checkpoints.advance")(function* (seq) {
      yield* sql`
        INSERT INTO outbox_readers (name, seq) VALUES ('checkpoints', ${seq})
        ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)
      `.pipe(access.write("advance"))
    })
  })
})

export const layer = Layer.effect(Checkpoints, make)
