/** The body of the transaction that stores a pipeline. A caller can do more in the same transaction. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ContestId } from "../../../domain/contest/Contest.ts"
import type { NewContest } from "../../../domain/contest/NewContest.ts"
import { AnswerRule } from "../../../domain/pipeline/AnswerRule.ts"
import { contestTasksOf, isKept, type NewPipeline, PipelineStep } from "../../../domain/pipeline/Pipeline.ts"
import { PipelineKeyConflict, PipelineRetryConflict } from "../../../domain/pipeline/PipelineErrors.ts"
import { PipelineId, TaskId } from "../../../domain/task/Task.ts"
import type { CreatedPipeline } from "../../../services/Pipelines.ts"
import { makeStoreContest } from "../contests/storeContest.ts"
import * as Statement from "../database/Statement.ts"
import { type Arrival, makeEnqueue } from "../queue/enqueue.ts"
import { makePipelineRows, orNoPipeline } from "./PipelineRows.ts"
import { makePipelineEnds } from "./pipelineEnds.ts"

/** What was made ready outside of the transaction. */
export interface PipelineArrival {
  readonly id: PipelineId
  readonly pipeline: NewPipeline
  /** The result of `fingerprint`. */
  readonly digest: string
  /** The result of `tasksOf`, in this order. */
  readonly arrivals: ReadonlyArray<Arrival>
  /** One for each contest of a step. */
  readonly contestIds: ReadonlyArray<ContestId>
}

const StepRow = Schema.Struct({
  ...PipelineStep.pick("position", "stage", "name", "policy", "delayMs", "continueFrom").fields,
  pipelineId: PipelineId,
  taskId: TaskId,
  after: Schema.parseJson(PipelineStep.fields.after),
  gate: Schema.NullOr(Schema.parseJson(AnswerRule))
})

export const makeCreatePipeline = (sql: SqlClient.SqlClient) => {
  const enqueue = makeEnqueue(sql)
  const storeContest = makeStoreContest(sql)
  const { concludePipelines } = makePipelineEnds(sql)
  const { get } = makePipelineRows(sql)

  const findByKey = Statement.findOne(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ id: PipelineId, digest: Schema.String }),
    execute: (key) => sql`SELECT id, digest FROM pipelines WHERE idempotency_key = ${key}`
  }))

  const findRetrying = Statement.findOne(() => ({
    Request: PipelineId,
    Result: Schema.Struct({ id: PipelineId }),
    execute: (id) => sql`
      SELECT pipelines.id FROM pipelines
      JOIN pipeline_steps ON pipeline_steps.pipeline_id = pipelines.id
      JOIN tasks ON tasks.id = pipeline_steps.task_id
      WHERE pipelines.retry_of = ${id} AND tasks.status IN ('queued', 'running')
      LIMIT 1
    `
  }))

  const insertStep = Statement.run(() => ({
    Request: StepRow,
    execute: (row) => sql`INSERT INTO pipeline_steps ${sql.insert(row)}`
  }))

  const stored = (id: PipelineId) => get(id).pipe(orNoPipeline(id), Effect.catchTag("PipelineNotFound", Effect.die))

  /** Must run inside a transaction. */
  return ({ arrivals, contestIds, digest, id, pipeline }: PipelineArrival, maxDepth: number) =>
    Effect.gen(function* () {
      const { idempotencyKey, name, retryOf } = pipeline
      const twin = idempotencyKey === null ? Option.none() : yield* findByKey(idempotencyKey)
      if (Option.isSome(twin)) {
        if (twin.value.digest !== digest) {
          return yield* new PipelineKeyConflict({ key: idempotencyKey ?? "", existing: twin.value.id })
        }
        return { pipeline: yield* stored(twin.value.id), created: false } satisfies CreatedPipeline
      }
      const retrying = retryOf === null ? Option.none() : yield* findRetrying(retryOf)
      if (retryOf !== null && Option.isSome(retrying)) {
        return yield* new PipelineRetryConflict({ id: retryOf, by: retrying.value.id })
      }
      const createdAt = yield* Clock.currentTimeMillis
      yield* sql`INSERT INTO pipelines ${sql.insert({ id, name, retryOf, idempotencyKey, digest, createdAt })}`
      const tasks = yield* enqueue(
        arrivals.map((arrival) => ({ ...arrival, pipelineId: id })),
        maxDepth
      )
      let member = 0
      const contests: Array<{ readonly contest: NewContest; readonly choice: TaskId }> = []
      for (const [position, { contest, work, ...step }] of pipeline.steps.entries()) {
        const taskId = isKept(work) ? work.kept : tasks[member++]?.task.id
        if (taskId === undefined) return yield* Effect.dieMessage("a step without a task")
        yield* insertStep({ ...step, pipelineId: id, position, taskId })
        if (contest !== undefined) contests.push({ contest, choice: taskId })
      }
      for (const [at, { choice, contest }] of contests.entries()) {
        const contestId = contestIds[at]
        if (contestId === undefined) return yield* Effect.dieMessage("a contest without an id")
        const { length } = contestTasksOf(contest)
        const taskIds = tasks.slice(member, member + length).map(({ task }) => task.id)
        member += length
        yield* storeContest({ id: contestId, contest, taskIds, choice, at: createdAt })
      }
      yield* concludePipelines([id], createdAt)
      return { pipeline: yield* stored(id), created: true } satisfies CreatedPipeline
    })
}
