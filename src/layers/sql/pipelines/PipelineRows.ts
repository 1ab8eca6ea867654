/** Reading pipelines: the one query that derives the state of a pipeline from its steps. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AnswerRule } from "../../../domain/pipeline/AnswerRule.ts"
import {
  type Pipeline,
  PipelineStep,
  PipelineSummary,
  StepCounts,
  stepStatusOf
} from "../../../domain/pipeline/Pipeline.ts"
import { PipelineNotFound } from "../../../domain/pipeline/PipelineErrors.ts"
import { PipelineId } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { SummaryRow, summaryColumns } from "../tasks/Rows.ts"

const { counts: _counts, ...plainFields } = PipelineSummary.fields

/** A pipeline, with the counts of its steps as further columns of the row. */
const StandingRow = Schema.transform(
  Schema.Struct({ ...plainFields, ...StepCounts.fields }),
  Schema.typeSchema(PipelineSummary),
  {
    strict: true,
    decode: ({ cancelled, completed, failed, queued, running, skipped, ...pipeline }) => ({
      ...pipeline,
      counts: { queued, running, completed, failed, cancelled, skipped }
    }),
    encode: ({ counts, ...pipeline }) => ({ ...pipeline, ...counts })
  }
)

const StepRow = Schema.Struct({
  ...SummaryRow.fields,
  ...PipelineStep.pick("name", "stage", "policy", "delayMs", "position").fields,
  ...PipelineStep.pick("contest").fields,
  stepContinuesFrom: PipelineStep.fields.continueFrom,
  // Only shown: the tasks' dependencies decide what waits for what.
  after: Schema.parseJson(PipelineStep.fields.after).annotations({ decodingFallback: () => Effect.succeed([]) }),
  // Only shown as well: a rule that cannot be read lets no step pass.
  gate: Schema.NullOr(Schema.parseJson(AnswerRule)).annotations({
    decodingFallback: () => Effect.succeed("verdict" as const)
  })
})

/**
 * The aggregate, over `pipelines p`, their steps `s` and the tasks of these, `t`; grouped by pipeline. It is the only place
 * that decides the status of a pipeline: a failed step comes first, then a step that was cancelled on request.
 */
export const standing = {
  from: `pipelines p JOIN pipeline_steps s ON s.pipeline_id = p.id JOIN tasks t ON t.id = s.task_id`,
  ended: `count(t.ended_at) = count(*)`,
  endStatus: `CASE
    WHEN total(t.status = 'failed') > 0 THEN 'failed'
    WHEN total(t.status = 'cancelled' AND t.cause <> 'dependency-failed') > 0 THEN 'cancelled'
    ELSE 'completed' END`
}

const begun = `(SELECT min(started_at) FROM tasks own WHERE own.pipeline_id = p.id AND own.started_at IS NOT NULL)`

const sum = (condition: string) => `CAST(total(${condition}) AS INTEGER)`

const standingColumns = `
  p.seq, p.id, p.name, p.retry_of, p.idempotency_key, p.created_at,
  p.cancel_requested_at, p.cancel_reason, p.cancelled_by,
  ${sum("t.status = 'queued'")} AS queued,
  ${sum("t.status = 'running'")} AS running,
  ${sum("t.status = 'completed'")} AS completed,
  ${sum("t.status = 'failed'")} AS failed,
  ${sum("t.status = 'cancelled' AND t.cause <> 'dependency-failed'")} AS cancelled,
  ${sum("t.status = 'cancelled' AND t.cause = 'dependency-failed'")} AS skipped,
  ${begun} AS started_at,
  CASE WHEN ${standing.ended} THEN max(p.created_at, max(t.ended_at)) END AS ended_at,
  CASE
    WHEN ${standing.ended} THEN ${standing.endStatus}
    WHEN ${begun} IS NOT NULL OR ${sum("t.ended_at IS NOT NULL AND t.pipeline_id = p.id")} > 0 THEN 'running'
    ELSE 'queued'
  END AS status`

export const orNoPipeline =
  (reference: string) =>
  <A, E, R>(found: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<A, E | PipelineNotFound, R> =>
    Effect.flatMap(
      found,
      Option.match({
        onNone: () => Effect.fail(new PipelineNotFound({ reference, candidates: [] })),
        onSome: Effect.succeed
      })
    )

export const makePipelineRows = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(standingColumns)
  const from = sql.literal(standing.from)
  const taskColumns = sql.literal(summaryColumns)

  const findOne = Statement.findOne(() => ({
    Request: PipelineId,
    Result: StandingRow,
    execute: (id) => sql`SELECT ${columns} FROM ${from} WHERE p.id = ${id} GROUP BY p.seq`
  }))

  const findSteps = Statement.findAll(() => ({
    Request: PipelineId,
    Result: StepRow,
    execute: (id) => sql`
      SELECT ${taskColumns}, step.name, step.stage, step.policy, step.delay_ms, step.position, step.after, step.gate,
        step.continue_from AS step_continues_from, choice.contest_id AS contest
      FROM pipeline_steps step JOIN tasks ON tasks.id = step.task_id
      LEFT JOIN contest_tasks choice ON choice.task_id = step.task_id AND choice.role = 'choice'
      WHERE step.pipeline_id = ${id} ORDER BY step.position
    `
  }))

  const get = (id: PipelineId) =>
    Effect.gen(function* () {
      const summary = yield* findOne(id)
      if (Option.isNone(summary)) return Option.none<Pipeline>()
      const rows = yield* findSteps(id)
      const steps = rows.map(
        ({
          after,
          contest,
          delayMs,
          gate,
          name,
          policy,
          position,
          stage,
          stepContinuesFrom,
          ...task
        }): PipelineStep => ({
          name,
          stage,
          policy,
          delayMs,
          position,
          after,
          continueFrom: stepContinuesFrom,
          gate,
          contest,
          status: stepStatusOf(task),
          kept: task.pipelineId !== id,
          task
        })
      )
      return Option.some<Pipeline>({ ...summary.value, steps })
    })

  return {
    get,
    /** Newest first, at most `limit`. */
    page: Statement.findAll(() => ({
      Request: Schema.Struct({
        status: Schema.Array(Schema.String),
        limit: Schema.Int,
        before: Schema.Int
      }),
      Result: StandingRow,
      execute: ({ before, limit, status }) =>
        status.length === 0
          ? sql`
            SELECT ${columns} FROM ${from}
            WHERE p.seq IN (SELECT seq FROM pipelines WHERE seq < ${before} ORDER BY seq DESC LIMIT ${limit})
            GROUP BY p.seq ORDER BY p.seq DESC
          `
          : sql`
            SELECT * FROM (SELECT ${columns} FROM ${from} WHERE p.seq < ${before} GROUP BY p.seq ORDER BY p.seq DESC)
            WHERE ${sql.in("status", status)} LIMIT ${limit}
          `
    }))
  }
}
