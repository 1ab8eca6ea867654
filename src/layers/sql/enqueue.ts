/** The arrival of a task: its row, its inputs, its labels and the environment it shares with others. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DepthExceeded, IdempotencyConflict } from "../../domain/Errors.ts"
import type { NewTask } from "../../domain/NewTask.ts"
import { TaskId, TaskSummary, titleOf } from "../../domain/Task.ts"
import type { Enqueued } from "../../services/Queue.ts"
import { ArrivalRow, StoredEnvironment, StoredLaunch } from "./rows.ts"
import { certain, orNotFound, summaryById, taskById } from "./taskRows.ts"

/** What was made ready outside of the transaction. */
export interface Arrival {
  readonly id: TaskId
  readonly task: NewTask
  /** Names the set of variables: equal sets have equal names. */
  readonly environmentId: string
}

/** The variables in an order of their own, so that equal sets have equal texts. */
export const canonical = (environment: NewTask["environment"]): string =>
  JSON.stringify(Object.entries(environment).sort(([left], [right]) => (left < right ? -1 : 1)))

/** Stores one task; it must run inside a transaction. */
export const makeEnqueue = (sql: SqlClient.SqlClient) => {
  const summary = summaryById(sql)
  const whole = taskById(sql)

  const findByKey = SqlSchema.findOne({
    Request: Schema.Struct({
      key: Schema.String,
      agent: Schema.String,
      directory: Schema.String,
      prompt: Schema.String
    }),
    Result: Schema.Struct({ id: TaskId, same: Schema.Literal(0, 1) }),
    execute: ({ agent, directory, key, prompt }) => sql`
      SELECT tasks.id,
        tasks.agent = ${agent} AND tasks.directory = ${directory} AND task_inputs.prompt = ${prompt} AS same
      FROM tasks JOIN task_inputs ON task_inputs.task_id = tasks.id
      WHERE tasks.idempotency_key = ${key}
    `
  })

  const findForebear = SqlSchema.findOne({
    Request: TaskId,
    Result: TaskSummary.pick("depth", "attempt"),
    execute: (id) => sql`SELECT depth, attempt FROM tasks WHERE id = ${id}`
  })

  const insertTask = SqlSchema.single({
    Request: ArrivalRow,
    Result: TaskSummary.pick("seq"),
    execute: (row) => sql`INSERT INTO tasks ${sql.insert(row)} RETURNING seq`
  })

  const insertEnvironment = SqlSchema.void({
    Request: Schema.Struct({ id: Schema.String, variables: StoredEnvironment }),
    execute: (row) => sql`INSERT INTO environments ${sql.insert(row)} ON CONFLICT (id) DO NOTHING`
  })

  const insertInput = SqlSchema.void({
    Request: Schema.Struct({
      taskId: TaskId,
      environmentId: Schema.String,
      launch: StoredLaunch,
      systemPrompt: Schema.NullOr(Schema.String),
      prompt: Schema.String
    }),
    execute: (row) => sql`INSERT INTO task_inputs ${sql.insert(row)}`
  })

  const insertLabel = SqlSchema.void({
    Request: Schema.Struct({ taskSeq: Schema.Int, key: Schema.String, value: Schema.String }),
    execute: (row) => sql`INSERT INTO task_labels ${sql.insert(row)}`
  })

  /** The task that this idempotency key stands for already. */
  const replay = (key: string, { agent, directory, prompt }: NewTask) =>
    Effect.gen(function* () {
      const found = yield* findByKey({ key, agent, directory, prompt })
      if (Option.isNone(found)) return null
      const { id, same } = found.value
      if (same === 0) return yield* new IdempotencyConflict({ key, existing: id })
      return yield* whole(id).pipe(orNotFound(id))
    })

  return ({ environmentId, id, task }: Arrival, maxDepth: number) =>
    Effect.gen(function* () {
      const twin = task.idempotencyKey === null ? null : yield* replay(task.idempotencyKey, task)
      if (twin !== null) return { task: twin, created: false } satisfies Enqueued

      const parent = task.parentId === null ? Option.none() : yield* findForebear(task.parentId)
      const depth = Option.match(parent, { onNone: () => task.depth, onSome: (row) => row.depth + 1 })
      if (depth > maxDepth) return yield* new DepthExceeded({ depth, limit: maxDepth })
      const attempt =
        task.retryOf === null ? 1 : (yield* findForebear(task.retryOf).pipe(orNotFound(task.retryOf))).attempt + 1

      const { environment, launch, prompt, systemPrompt, ...fields } = task
      const createdAt = yield* Clock.currentTimeMillis
      const row = { ...fields, id, title: titleOf(prompt), status: "queued", depth, attempt, createdAt } as const
      const { seq } = yield* insertTask(row).pipe(certain)
      yield* insertEnvironment({ id: environmentId, variables: environment })
      yield* insertInput({ taskId: id, environmentId, launch, systemPrompt, prompt })
      for (const [key, value] of Object.entries(task.labels)) yield* insertLabel({ taskSeq: seq, key, value })
      const stored = yield* summary(id).pipe(orNotFound(id))
      return { task: { ...stored, prompt, systemPrompt, answer: null }, created: true } satisfies Enqueued
    })
}
