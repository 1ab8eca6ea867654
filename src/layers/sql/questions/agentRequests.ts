/** What agents ask over their streams: stored with the bytes that ask it, answered by rules or by the questions that it became. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AgentRequest, questionsIn } from "../../../domain/questions/AgentRequest.ts"
import { QuestionId, questionBounds, Reply } from "../../../domain/questions/Question.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import type { AskedOver } from "../../../services/OutputStore.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"

const Count = Schema.Struct({ count: Schema.Int })
const Id = Schema.Struct({ id: QuestionId })

export const StoredAnswer = Schema.parseJson(Reply.pick("denied", "text"))
export const StoredIds = Schema.parseJson(Schema.Array(QuestionId))

const tooMany = { denied: true, text: "Too many questions are open. Decide without an answer." }

/** Must run inside a transaction. */
export const makeAgentRequests = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const count = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: Schema.String }),
    Result: Schema.Struct({ ...Count.fields, own: Schema.Int, ofTask: Schema.Int }),
    execute: ({ taskId }) => sql`
      SELECT (SELECT count(*) FROM questions WHERE state = 'open') AS count,
        (SELECT count(*) FROM questions WHERE task_id = ${taskId}) AS of_task,
        (SELECT asks FROM tasks WHERE id = ${taskId}) AS own
    `
  }))

  const findSame = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: Schema.String, digest: Schema.String }),
    Result: Id,
    execute: ({ digest, taskId }) => sql`SELECT id FROM questions WHERE task_id = ${taskId} AND digest = ${digest}`
  }))

  const insertQuestion = Statement.findOne(() => ({
    Request: Schema.Struct({
      taskId: Schema.String,
      askedBy: Schema.String,
      digest: Schema.String,
      text: Schema.String,
      options: Schema.parseJson(Schema.Array(Schema.String)),
      state: Schema.String,
      askedAt: Schema.Int
    }),
    Result: Id,
    execute: (row) => sql`INSERT INTO questions ${sql.insert(row)} RETURNING id`
  }))

  const insertRequest = Statement.run(() => ({
    Request: Schema.Struct({
      claimId: Schema.String,
      requestId: Schema.String,
      request: Schema.parseJson(AgentRequest),
      ruled: Schema.NullOr(StoredAnswer),
      questions: StoredIds
    }),
    execute: (row) => sql`INSERT INTO agent_requests ${sql.insert(row)} ON CONFLICT (claim_id, request_id) DO NOTHING`
  }))

  const findOfRequest = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: Schema.String, requestId: Schema.String }),
    Result: Schema.Struct({ questions: StoredIds }),
    execute: ({ requestId, taskId }) => sql`
      SELECT questions FROM agent_requests
      WHERE request_id = ${requestId} AND claim_id = (SELECT claim_id FROM claims WHERE task_id = ${taskId})
    `
  }))

  /** The same tool with the same input is the same question, however often it is asked: it has the answer that it got. */
  const question = (
    taskId: TaskId,
    { input }: AgentRequest,
    { options, text }: ReturnType<typeof questionsIn>[number]
  ) =>
    Effect.gen(function* () {
      const digest = yield* ids.digest(`${text}\n${JSON.stringify(input)}`)
      const known = yield* findSame({ taskId, digest })
      if (Option.isSome(known)) return known
      const room = Option.getOrElse(yield* count({ taskId }), () => ({ count: 0, own: 0, ofTask: 0 }))
      const full =
        room.count >= questionBounds.open ||
        room.own >= questionBounds.openOfTask ||
        room.ofTask >= questionBounds.ofTask
      if (full) return Option.none()
      const askedAt = yield* Clock.currentTimeMillis
      return yield* insertQuestion({ taskId, askedBy: `task ${taskId}`, digest, text, options, state: "open", askedAt })
    })

  return {
    asked: (taskId: TaskId, asked: ReadonlyArray<AskedOver>) =>
      Effect.gen(function* () {
        if (asked.length === 0) return
        const claims = yield* direct(sql`SELECT claim_id FROM claims WHERE task_id = ${taskId}`)
        const claimId = Option.getOrNull(
          Option.map(
            Schema.decodeUnknownOption(Schema.Struct({ claimId: Schema.String }))(claims[0]),
            (row) => row.claimId
          )
        )
        if (claimId === null) return
        for (const { request, ruled } of asked) {
          const found: Array<QuestionId> = []
          let full = false
          for (const part of ruled === null ? questionsIn(request) : []) {
            const id = yield* question(taskId, request, part)
            if (Option.isSome(id)) found.push(id.value.id)
            else full = true
          }
          yield* insertRequest({
            claimId,
            requestId: request.requestId,
            request,
            ruled: full ? tooMany : ruled,
            questions: full ? [] : found
          })
        }
      }),

    /** The agent has the answers to these requests. */
    replied: (taskId: TaskId, requestIds: ReadonlyArray<string>) =>
      Effect.forEach(
        requestIds,
        (requestId) =>
          Effect.gen(function* () {
            const found = yield* findOfRequest({ taskId, requestId })
            if (Option.isNone(found)) return
            for (const id of found.value.questions) {
              yield* sql`UPDATE questions SET state = 'taken' WHERE id = ${id} AND state = 'answered'`
            }
          }),
        { discard: true }
      )
  }
}
