/** Messages to agents on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Message, MessageId, mostWaiting } from "../../../domain/message/Message.ts"
import { MessageConflict } from "../../../domain/message/MessageErrors.ts"
import { tooMany } from "../../../domain/message/tooMany.ts"
import { inputFormatOf } from "../../../domain/task/NewTask.ts"
import { TaskId, TaskStatus, Timestamp } from "../../../domain/task/Task.ts"
import { Messages, type NewMessage } from "../../../services/Messages.ts"
import { Paths } from "../../../services/Paths.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { failClaimLost } from "../queue/failClaimLost.ts"
import { StoredLaunch } from "../tasks/Rows.ts"
import { IdRow, orNotFound } from "../tasks/TaskRows.ts"

const mostListed = 1000

const Standing = Schema.Struct({ status: TaskStatus, launch: StoredLaunch, closed: Schema.Literal(0, 1) })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const lost = failClaimLost(sql)

  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: Standing,
    execute: (id) => sql`
      SELECT tasks.status, task_inputs.launch, coalesce(claims.input_closed, 0) AS closed
      FROM tasks JOIN task_inputs ON task_inputs.task_id = tasks.id LEFT JOIN claims ON claims.task_id = tasks.id
      WHERE tasks.id = ${id}
    `
  }))

  const findMessage = Statement.findOne(() => ({
    Request: MessageId,
    Result: Message,
    execute: (id) => sql`SELECT * FROM messages WHERE id = ${id}`
  }))

  const findLast = Statement.findAll(() => ({
    Request: Schema.Struct({ taskId: TaskId, limit: Schema.Int }),
    Result: Message,
    execute: ({ limit, taskId }) => sql`
      SELECT * FROM messages WHERE task_id = ${taskId} OR moved_to = ${taskId} ORDER BY seq DESC LIMIT ${limit}
    `
  }))

  const findPending = Statement.findAll(() => ({
    Request: TaskId,
    Result: Message,
    execute: (taskId) => sql`
      SELECT * FROM messages
      WHERE task_id = ${taskId} AND (state = 'stored' OR (state = 'written' AND kind <> 'line'))
      ORDER BY seq LIMIT ${mostWaiting}
    `
  }))

  const insertMessage = Statement.single(() => ({
    Request: Schema.Struct({ ...Message.pick("id", "taskId", "kind", "body", "sender").fields, at: Timestamp }),
    Result: Message,
    execute: (row) => sql`INSERT INTO messages ${sql.insert({ ...row, state: "stored" })} RETURNING *`
  }))

  const findTasks = (ended: boolean, limit: number) => {
    const status = ended ? sql`NOT IN ('queued', 'running')` : sql`= 'running'`
    return Statement.findAll(() => ({
      Request: Schema.Void,
      Result: IdRow,
      execute: () => sql`
        SELECT DISTINCT tasks.id FROM messages JOIN tasks ON tasks.id = messages.task_id
        WHERE messages.state = 'stored' AND tasks.status ${status} LIMIT ${limit}
      `
    }))
  }
  const findWaiting = findTasks(false, mostListed)
  const findAdrift = findTasks(true, 100)

  const sendOne = (message: NewMessage) =>
    Effect.gen(function* () {
      const known = yield* findMessage(message.id)
      if (Option.isSome(known)) {
        const { body, taskId } = known.value
        // A retry of its task may have got it since.
        if (body !== message.body) return yield* new MessageConflict({ id: message.id, taskId })
        return known.value
      }
      const waiting = yield* direct(sql`
        SELECT 1 FROM messages WHERE task_id = ${message.taskId} AND state = 'stored' LIMIT 1 OFFSET ${mostWaiting - 1}
      `)
      if (waiting.length > 0) return yield* tooMany(message.taskId)
      const at = yield* Clock.currentTimeMillis
      return yield* Effect.orDie(insertMessage({ ...message, at }))
    })

  const heldOr = (holder: Holder, step: string) =>
    Effect.gen(function* () {
      const rows = yield* direct(sql`
        SELECT 1 FROM claims WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      `)
      if (rows.length === 0) return yield* lost(holder.claimId, step)
    })

  const ids = Effect.map((rows: ReadonlyArray<{ readonly id: TaskId }>) => rows.map(({ id }) => id))

  return Messages.of({
    recipient: Effect.fn("Messages.recipient")((id) =>
      findStanding(id).pipe(
        orNotFound(id),
        Effect.map(({ closed, launch, status }) => ({
          status,
          format: inputFormatOf(launch),
          closed: closed === 1,
          asks: launch.asks ?? null
        })),
        access.read("recipient")
      )
    ),

    send: Effect.fn("Messages.send")((messages) =>
      findStanding(messages[0].taskId).pipe(
        orNotFound(messages[0].taskId),
        Effect.zipRight(Effect.forEach(messages, sendOne)),
        access.write("send")
      )
    ),

    find: Effect.fn("Messages.find")((id) => findMessage(id).pipe(access.read("find"))),

    list: Effect.fn("Messages.list")((taskId, limit) =>
      findLast({ taskId, limit }).pipe(
        Effect.map((rows) => [...rows].reverse()),
        access.read("messages")
      )
    ),

    pending: Effect.fn("Messages.pending")((taskId) => findPending(taskId).pipe(access.read("pending"))),

    written: Effect.fn("Messages.written")((holder, id) =>
      Effect.gen(function* () {
        yield* heldOr(holder, "be told")
        const now = yield* Clock.currentTimeMillis
        yield* sql`
          UPDATE messages SET state = 'written', claim_id = ${holder.claimId}, written_at = ${now}
          WHERE id = ${id} AND state = 'stored'
        `
      }).pipe(access.write("written"))
    ),

    close: Effect.fn("Messages.close")((holder, { whatever }) =>
      Effect.gen(function* () {
        yield* heldOr(holder, "be closed")
        const pending = yield* direct(sql`
          SELECT 1 FROM messages JOIN claims ON claims.task_id = messages.task_id
          WHERE claims.claim_id = ${holder.claimId} AND claims.input_closed = 0 AND messages.state IN ('stored', 'written')
            AND messages.kind <> 'line' LIMIT 1
        `)
        if (pending.length > 0 && !whatever) return false
        yield* sql`UPDATE claims SET input_closed = 1 WHERE claim_id = ${holder.claimId} AND input_closed = 0`
        return true
      }).pipe(access.write("close"))
    ),

    waiting: ids(findWaiting()).pipe(access.read("waiting"), Effect.withSpan("Messages.waiting")),

    adrift: ids(findAdrift()).pipe(access.read("adrift"), Effect.withSpan("Messages.adrift")),

    redirect: Effect.fn("Messages.redirect")((from, to) =>
      sql`UPDATE messages SET task_id = ${to} WHERE task_id = ${from} AND state = 'stored'`.pipe(
        Effect.asVoid,
        access.write("redirect")
      )
    ),

    drop: Effect.fn("Messages.drop")((taskId, reason) =>
      sql`UPDATE messages SET state = 'dropped', reason = ${reason} WHERE task_id = ${taskId} AND state = 'stored'`.pipe(
        Effect.asVoid,
        access.write("drop")
      )
    )
  })
})

export const layer = Layer.effect(Messages, make)
