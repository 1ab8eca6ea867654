/** The rows of loops and their rounds, and reading them by id. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { type Loop, LoopRound, LoopRules, LoopStep, LoopSummary, promptOf, speaker } from "../../../domain/loop/Loop.ts"
import { LoopNotFound } from "../../../domain/loop/LoopErrors.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { EndCause, TaskId, TaskStatus } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { goalColumn, storedGoal, unpricedColumn } from "../goals/GoalRows.ts"

export const Role = Schema.Literal("work", "until", "score", "judge")
export type Role = typeof Role.Type

const SummaryRow = Schema.Struct({ ...LoopSummary.fields, goal: storedGoal })

export const LoopRow = Schema.Struct({ ...SummaryRow.fields, rules: Schema.parseJson(LoopRules) })

/** What is written of a loop when it is submitted. */
export const LoopWrite = LoopRow.pick(
  "id",
  "title",
  "agent",
  "directory",
  "rules",
  "maxRounds",
  "steps",
  "stepTask",
  "createdAt"
)

export const LoopIdRow = Schema.Struct({ id: LoopId })

const { workTask: _work, workTasks: _steps, evaluationTasks: _evaluations, ...roundFields } = LoopRound.fields

const storedFlag = Schema.transform(Schema.Literal(0, 1), Schema.Boolean, {
  strict: true,
  decode: (stored) => stored === 1,
  encode: (flag) => (flag ? 1 : 0)
})

const RoundRow = Schema.Struct({ ...roundFields, kept: storedFlag })

const RoundTaskRow = Schema.Struct({
  round: Schema.Int,
  role: Role,
  taskId: TaskId,
  status: TaskStatus,
  cause: Schema.NullOr(EndCause)
})

const { goal: _goal, unpriced: _unpriced, ...ownFields } = LoopSummary.fields
const loopColumns = [...Object.keys(ownFields).map(Str.camelToSnake), unpricedColumn, goalColumn].join(", ")
const roundColumns = Object.keys(roundFields)
  .map((name) => `"${Str.camelToSnake(name)}"`)
  .join(", ")

/** The value, or the loop is not there. */
export const orNoLoop =
  (reference: string) =>
  <A, E, R>(found: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<A, E | LoopNotFound, R> =>
    Effect.flatMap(
      found,
      Option.match({
        onNone: () => Effect.fail(new LoopNotFound({ reference, candidates: [] })),
        onSome: Effect.succeed
      })
    )

export const makeLoopRows = (sql: SqlClient.SqlClient) => {
  const findLoop = Statement.findOne(() => ({
    Request: LoopId,
    Result: LoopRow,
    execute: (id) => sql`SELECT ${sql.literal(loopColumns)}, rules FROM loops WHERE id = ${id}`
  }))

  const findOfStep = Statement.findOne(() => ({
    Request: TaskId,
    Result: LoopIdRow,
    execute: (task) => sql`SELECT id FROM loops WHERE step_task = ${task}`
  }))

  const Span = Schema.Struct({ id: LoopId, after: Schema.Int, kept: Schema.NullOr(Schema.Int) })

  const findRounds = Statement.findAll(() => ({
    Request: Span,
    Result: RoundRow,
    execute: ({ after, id, kept }) => sql`
      SELECT ${sql.literal(roundColumns)} FROM loop_rounds
      WHERE loop_id = ${id} AND (round > ${after} OR round IN (1, ${kept})) ORDER BY round
    `
  }))

  const findRoundTasks = Statement.findAll(() => ({
    Request: Span,
    Result: RoundTaskRow,
    execute: ({ after, id, kept }) => sql`
      SELECT own.round, loop_tasks.role, own.task_id, tasks.status, tasks.cause
      FROM loop_round_tasks own
      JOIN loop_tasks ON loop_tasks.loop_id = own.loop_id AND loop_tasks.position = own.position
      JOIN tasks ON tasks.id = own.task_id
      WHERE own.loop_id = ${id} AND (own.round > ${after} OR own.round IN (1, ${kept}))
      ORDER BY own.round, own.position
    `
  }))

  const findWork = Statement.findAll(() => ({
    Request: LoopId,
    Result: LoopStep,
    execute: (id) => sql`
      SELECT name, task ->> 'agent' AS agent, task ->> 'prompt' AS prompt
      FROM loop_tasks WHERE loop_id = ${id} AND role = 'work' ORDER BY position
    `
  }))

  /** The rounds with their tasks, oldest first: the first one, the one in `kept`, and those after `after`. */
  const roundsOf = (span: typeof Span.Type) =>
    Effect.gen(function* () {
      const tasks = Arr.groupBy(yield* findRoundTasks(span), ({ round }) => String(round))
      return (yield* findRounds(span)).flatMap((row): ReadonlyArray<LoopRound> => {
        const own = tasks[String(row.round)] ?? []
        const steps = own.filter(({ role }) => role === "work")
        const work = speaker(steps)
        if (work === undefined) return []
        const workTasks = steps.map(({ taskId }) => taskId)
        const evaluationTasks = own.filter(({ role }) => role !== "work").map(({ taskId }) => taskId)
        return [{ ...row, workTask: work.taskId, workTasks, evaluationTasks }]
      })
    })

  return {
    findLoop,
    findOfStep,
    roundsOf,
    get: (id: LoopId) =>
      Effect.gen(function* () {
        const row = yield* findLoop(id)
        const work = yield* findWork(id)
        if (Option.isNone(row) || work.length === 0) return Option.none<Loop>()
        return Option.some<Loop>({
          ...row.value,
          prompt: promptOf(work),
          work,
          rounds: yield* roundsOf({ id, after: 0, kept: null })
        })
      }),
    /** Newest first, at most `limit`. */
    page: Statement.findAll(() => ({
      Request: Schema.Struct({
        status: Schema.Array(Schema.String),
        goals: Schema.Boolean,
        limit: Schema.Int,
        before: Schema.Int
      }),
      Result: SummaryRow,
      execute: ({ before, goals, limit, status }) => {
        const columns = sql.literal(loopColumns)
        const wanted = sql.and([
          sql`seq < ${before}`,
          ...(status.length === 0 ? [] : [sql.in("status", status)]),
          ...(goals ? [sql`EXISTS (SELECT 1 FROM goals WHERE goals.loop_id = loops.id)`] : [])
        ])
        return sql`SELECT ${columns} FROM loops WHERE ${wanted} ORDER BY seq DESC LIMIT ${limit}`
      }
    }))
  }
}
