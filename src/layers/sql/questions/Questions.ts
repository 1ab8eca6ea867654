/** Questions on SQLite. Triggers keep the count of open ones with the task, and give answers to the claim that follows. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { AgentRequest, type AnsweredRequest } from "../../../domain/questions/AgentRequest.ts"
import { Question, QuestionId, questionBounds, questionName } from "../../../domain/questions/Question.ts"
import { QuestionClosed, QuestionNotFound, TooManyQuestions } from "../../../domain/questions/QuestionErrors.ts"
import { TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { type Asked, Questions } from "../../../services/Questions.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing, orNotFound } from "../tasks/TaskRows.ts"
import { StoredAnswer, StoredIds } from "./agentRequests.ts"

/** Questions in one list. */
const mostListed = 200

const storedFlag = Schema.transform(Schema.Literal(0, 1), Schema.Boolean, {
  strict: true,
  decode: (value) => value === 1,
  encode: (value) => (value ? 1 : 0)
})

const QuestionRow = Schema.Struct({
  ...Question.fields,
  options: Schema.parseJson(Question.fields.options),
  denied: storedFlag
})

/** Requests of one claim that are looked at together. */
const mostRequests = 100

const RequestRow = Schema.Struct({
  seq: Schema.Int,
  request: Schema.parseJson(AgentRequest),
  ruled: Schema.NullOr(StoredAnswer),
  questions: StoredIds
})

const Count = Schema.Struct({ count: Schema.Int })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

  const columns = sql.literal(
    "id, task_id, asked_by, text, options, state, asked_at, answer, denied, answered_by, answered_at"
  )

  const findTask = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("id", "status", "asks"),
    execute: (id) => sql`SELECT id, status, asks FROM tasks WHERE id = ${id}`
  }))

  const findSame = Statement.findOne(() => ({
    Request: Schema.Struct({ taskId: Schema.NullOr(TaskId), askedBy: Schema.String, digest: Schema.String }),
    Result: QuestionRow,
    execute: ({ askedBy, digest, taskId }) =>
      taskId === null
        ? sql`
            SELECT ${columns} FROM questions
            WHERE task_id IS NULL AND asked_by = ${askedBy} AND digest = ${digest} AND state IN ('open', 'answered')
            ORDER BY id DESC LIMIT 1
          `
        : sql`SELECT ${columns} FROM questions WHERE task_id = ${taskId} AND digest = ${digest}`
  }))

  const countOfTask = Statement.single(() => ({
    Request: TaskId,
    Result: Count,
    execute: (id) => sql`SELECT count(*) AS count FROM questions WHERE task_id = ${id}`
  }))

  const countOpen = Statement.single(() => ({
    Request: Schema.Void,
    Result: Count,
    execute: () => sql`SELECT count(*) AS count FROM questions WHERE state = 'open'`
  }))

  const insert = Statement.single(() => ({
    Request: Schema.Struct({
      ...QuestionRow.pick("taskId", "askedBy", "text", "options", "state", "askedAt").fields,
      digest: Schema.String
    }),
    Result: QuestionRow,
    execute: (row) => sql`INSERT INTO questions ${sql.insert(row)} RETURNING ${columns}`
  }))

  const findOne = Statement.findOne(() => ({
    Request: QuestionId,
    Result: QuestionRow,
    execute: (id) => sql`SELECT ${columns} FROM questions WHERE id = ${id}`
  }))

  const findOpen = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: QuestionRow,
    execute: () => sql`SELECT ${columns} FROM questions WHERE state = 'open' ORDER BY id LIMIT ${mostListed}`
  }))

  const findOpenOf = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(QuestionId)),
    Result: Schema.Struct({ id: QuestionId }),
    execute: (ids) => sql`
      SELECT questions.id FROM json_each(${ids}) AS given CROSS JOIN questions ON questions.id = given.value
      WHERE questions.state = 'open'
    `
  }))

  const findOfTask = Statement.findAll(() => ({
    Request: TaskId,
    Result: QuestionRow,
    execute: (id) => sql`
      SELECT ${columns} FROM questions WHERE task_id = ${id} ORDER BY id LIMIT ${questionBounds.ofTask}
    `
  }))

  const findOfClaim = Statement.findAll(() => ({
    Request: Schema.String,
    Result: QuestionRow,
    execute: (claimId) => sql`SELECT ${columns} FROM questions WHERE claim_id = ${claimId} ORDER BY id`
  }))

  const saveAnswer = Statement.findOne(() => ({
    Request: Schema.Struct({
      ...QuestionRow.pick("id", "denied").fields,
      answer: Schema.String,
      by: Schema.String,
      now: Schema.Int
    }),
    Result: QuestionRow,
    execute: ({ answer, by, denied, id, now }) => sql`
      UPDATE questions SET state = 'answered', answer = ${answer}, denied = ${denied}, answered_by = ${by},
        answered_at = ${now}
      WHERE id = ${id} AND state = 'open' RETURNING ${columns}
    `
  }))

  const get = (id: QuestionId) =>
    Effect.flatMap(
      findOne(id),
      Option.match({
        onNone: () => new QuestionNotFound({ reference: questionName(id) }),
        onSome: (question) => Effect.succeed(question)
      })
    )

  /** Must run inside a transaction. */
  const room = Effect.fnUntraced(function* (taskId: TaskId | null) {
    if (taskId !== null) {
      const { asks, status } = yield* findTask(taskId).pipe(orNotFound(taskId))
      if (status !== "running") return yield* new TaskStateConflict({ id: taskId, step: "ask", actual: status })
      if (asks >= questionBounds.openOfTask) return yield* new TooManyQuestions({ bound: "openOfTask" })
      const all = yield* countOfTask(taskId).pipe(orDieWhenMissing)
      if (all.count >= questionBounds.ofTask) return yield* new TooManyQuestions({ bound: "ofTask" })
    }
    const open = yield* countOpen().pipe(orDieWhenMissing)
    if (open.count >= questionBounds.open) return yield* new TooManyQuestions({ bound: "open" })
  })

  const store = ({ askedBy, options, taskId, text }: Asked, digest: string) =>
    Effect.gen(function* () {
      const same = yield* findSame({ taskId, askedBy, digest })
      if (Option.isSome(same)) return same.value
      yield* room(taskId)
      const askedAt = yield* Clock.currentTimeMillis
      return yield* insert({ taskId, askedBy, digest, text, options, state: "open", askedAt }).pipe(orDieWhenMissing)
    })

  const findRequests = Statement.findAll(() => ({
    Request: Schema.String,
    Result: RequestRow,
    execute: (claimId) => sql`
      SELECT seq, request, ruled, questions FROM agent_requests WHERE claim_id = ${claimId} AND written = 0
      ORDER BY seq LIMIT ${mostRequests}
    `
  }))

  /** Null while a person has not answered all of it. */
  const answersOf = ({ questions, ruled }: typeof RequestRow.Type) =>
    Effect.gen(function* () {
      if (ruled !== null) return [ruled]
      const found = yield* Effect.forEach(questions, (id) => findOne(id))
      const answers = Arr.getSomes(found).flatMap(({ answer, denied }) =>
        answer === null ? [] : [{ denied, text: answer }]
      )
      return answers.length === questions.length ? answers : null
    })

  return Questions.of({
    toReply: Effect.fn("Questions.toReply")((claimId) =>
      Effect.gen(function* () {
        const ready: Array<AnsweredRequest> = []
        for (const row of yield* findRequests(claimId)) {
          const answers = yield* answersOf(row)
          if (answers !== null) ready.push({ seq: row.seq, request: row.request, answers })
        }
        return ready
      }).pipe(access.read("toReply"))
    ),

    replied: Effect.fn("Questions.replied")((seq) =>
      Effect.asVoid(sql`UPDATE agent_requests SET written = 1 WHERE seq = ${seq}`).pipe(access.write("replied"))
    ),

    ask: Effect.fn("Questions.ask")(function* (asked) {
      const digest = yield* ids.digest(asked.text)
      return yield* store(asked, digest).pipe(access.write("ask"))
    }),

    get: Effect.fn("Questions.get")((id) => get(id).pipe(access.read("question"))),

    open: findOpen().pipe(access.read("questions"), Effect.withSpan("Questions.open")),

    openOf: Effect.fn("Questions.openOf")((ids) =>
      findOpenOf(ids).pipe(
        access.read("questions"),
        Effect.map((rows) => rows.map(({ id }) => id))
      )
    ),

    ofTask: Effect.fn("Questions.ofTask")((id) => findOfTask(id).pipe(access.read("questions"))),

    ofClaim: Effect.fn("Questions.ofClaim")((claimId) => findOfClaim(claimId).pipe(access.read("questions"))),

    answer: Effect.fn("Questions.answer")((id, { by, denied, text }) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const answered = yield* saveAnswer({ id, answer: text, denied, by, now })
        if (Option.isSome(answered)) return answered.value
        const { answer, answeredAt, answeredBy } = yield* get(id)
        return yield* new QuestionClosed({ id, by: answeredBy, at: answeredAt, answer })
      }).pipe(access.writeWork("answer"))
    ),

    take: Effect.fn("Questions.take")((id) =>
      Effect.asVoid(sql`UPDATE questions SET state = 'taken' WHERE id = ${id} AND state = 'answered'`).pipe(
        access.write("takeAnswer")
      )
    )
  })
})

export const layer = Layer.effect(Questions, make)
