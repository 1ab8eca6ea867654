/** The rows of contests and their candidates, and reading them by id. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Candidate, Contest, ContestId, ContestRules } from "../../../domain/contest/Contest.ts"
import { EndCause, TaskId, TaskStatus } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"

export const Role = Schema.Literal("setup", "work", "check", "score", "choice")

const { candidates: _candidates, rules: _rules, ...contestFields } = Contest.fields

export const ContestRow = Schema.Struct({ ...contestFields, rules: Schema.parseJson(ContestRules) })

const {
  evaluationTasks: _evaluations,
  failedTask: _failed,
  startedAt: _started,
  endedAt: _ended,
  status: _status,
  workTask: _work,
  agent: _agent,
  model: _model,
  costUsd: _cost,
  ...judgedFields
} = Candidate.fields

/** What is stored of a candidate, and what its work left. */
const CandidateRow = Schema.Struct(judgedFields)

/** A task of a candidate, as far as it is shown and judged. */
const TaskRow = Schema.Struct({
  number: Schema.Int,
  role: Role,
  taskId: TaskId,
  agent: Schema.NonEmptyString,
  model: Schema.NullOr(Schema.String),
  status: TaskStatus,
  cause: Schema.NullOr(EndCause),
  costUsd: Schema.NullOr(Schema.Finite),
  startedAt: Schema.NullOr(Schema.Int),
  endedAt: Schema.NullOr(Schema.Int)
})
export type CandidateTaskRow = typeof TaskRow.Type

const evaluates = (role: typeof Role.Type) => role === "check" || role === "score"

export const makeContestRows = (sql: SqlClient.SqlClient) => {
  const findContest = Statement.findOne(() => ({
    Request: ContestId,
    Result: ContestRow,
    execute: (id) => sql`
      SELECT id, title, directory, rules, status, winner, cancel_requested_at, created_at, ended_at
      FROM contests WHERE id = ${id}
    `
  }))

  const findCandidates = Statement.findAll(() => ({
    Request: ContestId,
    Result: CandidateRow,
    execute: (id) => sql`
      SELECT own.number, own.verdict, own.score, own.tampered,
        results."commit", results.files, results.insertions, results.deletions
      FROM contest_candidates own
      JOIN contest_tasks work ON work.contest_id = own.contest_id AND work.number = own.number AND work.role = 'work'
      LEFT JOIN results ON results.task_id = work.task_id
      WHERE own.contest_id = ${id} ORDER BY own.number
    `
  }))

  const findTasks = Statement.findAll(() => ({
    Request: ContestId,
    Result: TaskRow,
    execute: (id) => sql`
      SELECT own.number, own.role, own.task_id, tasks.agent, tasks.model, tasks.status, tasks.cause,
        tasks.usage ->> 'costUsd' AS cost_usd, tasks.started_at, tasks.ended_at
      FROM contest_tasks own JOIN tasks ON tasks.id = own.task_id
      WHERE own.contest_id = ${id} ORDER BY own.number, own.position
    `
  }))

  /** The candidates with what is known of them, in the order of their numbers. */
  const candidatesOf = (id: ContestId) =>
    Effect.gen(function* () {
      const tasks = Arr.groupBy(yield* findTasks(id), ({ number }) => String(number))
      return (yield* findCandidates(id)).flatMap((row): ReadonlyArray<Candidate> => {
        const own = tasks[String(row.number)] ?? []
        const work = own.find(({ role }) => role === "work")
        if (work === undefined) return []
        const { agent, costUsd, endedAt, model, startedAt, status, taskId } = work
        const failed = own.find((task) => task.status === "failed")
        return [
          {
            ...row,
            workTask: taskId,
            evaluationTasks: own.filter(({ role }) => evaluates(role)).map((task) => task.taskId),
            agent,
            model,
            status,
            costUsd,
            startedAt,
            endedAt,
            failedTask: failed?.taskId ?? null
          }
        ]
      })
    })

  return {
    findContest,
    findTasks,
    candidatesOf,
    get: (id: ContestId) =>
      Effect.gen(function* () {
        const row = yield* findContest(id)
        if (Option.isNone(row)) return Option.none<Contest>()
        return Option.some<Contest>({ ...row.value, candidates: yield* candidatesOf(id) })
      })
  }
}
