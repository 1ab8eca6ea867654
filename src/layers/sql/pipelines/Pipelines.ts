/** Pipelines on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AnswerRule } from "../../../domain/pipeline/AnswerRule.ts"
import { fingerprint, tasksOf } from "../../../domain/pipeline/Pipeline.ts"
import { PipelineNotFound } from "../../../domain/pipeline/PipelineErrors.ts"
import { PipelineId, TaskId } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { makeAccess } from "../database/Immediate.ts"
import { makeOtherKind } from "../database/otherKind.ts"
import * as Statement from "../database/Statement.ts"
import { canonical } from "../queue/enqueue.ts"
import { makeCancelPipeline } from "./cancelPipeline.ts"
import { makeCreatePipeline } from "./createPipeline.ts"
import { makePipelineRows, orNoPipeline } from "./PipelineRows.ts"

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const otherKind = makeOtherKind(sql)
  const create = makeCreatePipeline(sql)
  const cancel = makeCancelPipeline(sql, ids)
  const { get, page } = makePipelineRows(sql)

  const Found = Schema.Struct({ id: PipelineId })
  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: Found,
    execute: ({ from, to }) =>
      sql`SELECT id FROM pipelines WHERE id >= ${from} AND id < ${to} ORDER BY id LIMIT ${candidates}`
  }))
  const findNewest = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Found,
    execute: () => sql`SELECT id FROM pipelines ORDER BY seq DESC LIMIT 1`
  }))

  const findByName = Statement.findOne(() => ({
    Request: Schema.String,
    Result: Found,
    execute: (name) => sql`
      SELECT id FROM pipelines WHERE name = ${name} AND NOT EXISTS (SELECT 1 FROM pipelines WHERE id = ${name})
      ORDER BY seq DESC LIMIT 1
    `
  }))

  const findRule = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ gate: Schema.parseJson(AnswerRule) }),
    execute: (task) => sql`SELECT gate FROM pipeline_steps WHERE task_id = ${task} AND gate IS NOT NULL LIMIT 1`
  }))

  return Pipelines.of({
    create: Effect.fn("Pipelines.create")(function* (pipeline, { maxDepth }) {
      const id = yield* ids.pipeline
      const digest = yield* ids.digest(fingerprint(pipeline))
      const arrivals = yield* Effect.forEach(tasksOf(pipeline), (task) =>
        Effect.all({ id: ids.task, task: Effect.succeed(task), environmentId: ids.digest(canonical(task.environment)) })
      )
      const contestIds = yield* Effect.forEach(
        pipeline.steps.filter(({ contest }) => contest !== undefined),
        () => ids.contest
      )
      return yield* create({ id, pipeline, digest, arrivals, contestIds }, maxDepth).pipe(
        access.writeWork("create pipeline")
      )
    }),

    get: Effect.fn("Pipelines.get")((id) => get(id).pipe(orNoPipeline(id), access.read("pipeline"))),

    resolve: Effect.fn("Pipelines.resolve")(function* (reference) {
      if (reference !== "@last") {
        const named = yield* findByName(reference).pipe(access.read("pipeline"))
        if (Option.isSome(named)) return named.value.id
      }
      // A text that begins with the characters of an id sorts before these characters and `~`.
      const search = reference === "@last" ? findNewest() : findByPrefix({ from: reference, to: `${reference}~` })
      const found = reference === "" ? [] : yield* search.pipe(access.read("pipeline"))
      const [first, second] = found
      if (first !== undefined && second === undefined) return first.id
      const elsewhere = first === undefined ? yield* otherKind(reference).pipe(access.read("pipeline")) : {}
      return yield* new PipelineNotFound({ reference, candidates: found.map(({ id }) => id), ...elsewhere })
    }),

    list: Effect.fn("Pipelines.list")(function* ({ before, limit, status }) {
      const found = yield* page({ status, limit: limit + 1, before: before ?? Number.MAX_SAFE_INTEGER }).pipe(
        access.read("pipelines")
      )
      return { pipelines: found.slice(0, limit), more: found.length > limit }
    }),

    answerRule: Effect.fn("Pipelines.answerRule")((task) =>
      findRule(task).pipe(Effect.map(Option.map(({ gate }) => gate)), access.read("answerRule"))
    ),

    cancel: Effect.fn("Pipelines.cancel")((id, request) =>
      cancel(id, request).pipe(access.writeWork("cancel pipeline"))
    )
  })
})

export const layer = Layer.effect(Pipelines, make)
