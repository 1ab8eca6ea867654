/**
 * Deletes old tasks: a few at a time, so that no other process waits long for the write lock. What refers to them goes with
 * them, but for the ledger, and for independent records: notices, deliveries and executions of schedules.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { openMerge } from "../merges/openMerge.ts"
import { makeForgetEnvironment } from "./forgetEnvironment.ts"
import { makeForgetTraces } from "./forgetTraces.ts"

/** Tasks per transaction, and bytes of output after which no further task is taken into it: the write lock is held meanwhile. */
const batch = 20
const batchBytes = 8_000_000

export const makePrune = (sql: SqlClient.SqlClient, access: Access) => {
  const forgetEnvironment = makeForgetEnvironment(sql)
  const traces = makeForgetTraces(sql)
  /** Tasks whose merge is carried out, or was killed: its record names what has to be finished. */
  const merging = sql`SELECT task_id FROM merges WHERE ${sql.literal(openMerge)}`

  // A pipeline, a loop, a goal or a contest that has not ended, or ended after the limit, keeps all of its tasks. An attempt that has not ended, or
  // ended after the limit, keeps all other attempts of the same work: users may know the work by the id of any of them,
  // and a clock that was set back may have given the last one the earliest end. A task keeps those that it comes from: the
  // budgets of a tree are found by way of them. A task with an open merge counts as one that has not ended.
  const findOld = Statement.findAll(() => ({
    Request: Schema.Struct({ endedBefore: Schema.Number, limit: Schema.Number }),
    Result: Schema.Struct({ id: TaskId, bytes: Schema.Int }),
    execute: ({ endedBefore, limit }) => sql`
      SELECT id, coalesce((SELECT sum(stored) FROM task_streams WHERE task_id = tasks.id), 0) AS bytes
      FROM tasks WHERE ended_at < ${endedBefore} AND id NOT IN (${merging}) AND NOT EXISTS (
        SELECT 1 FROM pipeline_steps own
        JOIN pipeline_steps step ON step.pipeline_id = own.pipeline_id
        JOIN tasks other ON other.id = step.task_id
        WHERE own.task_id = tasks.id
          AND (other.ended_at IS NULL OR other.ended_at >= ${endedBefore} OR other.id IN (${merging}))
      ) AND NOT EXISTS (
        SELECT 1 FROM pipeline_steps step JOIN tasks other ON other.id = step.task_id
        WHERE step.pipeline_id = tasks.pipeline_id
          AND (other.ended_at IS NULL OR other.ended_at >= ${endedBefore} OR other.id IN (${merging}))
      ) AND NOT EXISTS (
        SELECT 1 FROM loop_round_tasks own JOIN loops ON loops.id = own.loop_id
        WHERE own.task_id = tasks.id AND (
          loops.ended_at IS NULL OR loops.ended_at >= ${endedBefore} OR EXISTS (
            SELECT 1 FROM loop_round_tasks other WHERE other.loop_id = own.loop_id AND other.task_id IN (${merging})
          )
        )
      ) AND NOT EXISTS (
        SELECT 1 FROM loops WHERE loops.id = tasks.goal_id
          AND (loops.ended_at IS NULL OR loops.ended_at >= ${endedBefore})
      ) AND NOT EXISTS (
        SELECT 1 FROM contest_tasks own JOIN contests ON contests.id = own.contest_id
        WHERE own.task_id = tasks.id AND (
          contests.ended_at IS NULL OR contests.ended_at >= ${endedBefore} OR EXISTS (
            SELECT 1 FROM contest_tasks other WHERE other.contest_id = own.contest_id AND other.task_id IN (${merging})
          )
        )
      ) AND NOT EXISTS (
        SELECT 1 FROM tasks try WHERE try.root_id = coalesce(tasks.root_id, tasks.id)
          AND (try.ended_at IS NULL OR try.ended_at >= ${endedBefore} OR try.id IN (${merging}))
      ) AND NOT EXISTS (
        SELECT 1 FROM tasks root WHERE root.id = tasks.root_id
          AND (root.ended_at >= ${endedBefore} OR root.id IN (${merging}))
      ) AND NOT EXISTS (
        WITH RECURSIVE below (id, ended_at) AS (
          SELECT child.id, child.ended_at FROM tasks child WHERE child.parent_id = tasks.id
          UNION SELECT child.id, child.ended_at FROM below JOIN tasks child ON child.parent_id = below.id
        )
        SELECT 1 FROM below
        WHERE below.ended_at IS NULL OR below.ended_at >= ${endedBefore} OR below.id IN (${merging})
      )
      ORDER BY ended_at, seq LIMIT ${limit}
    `
  }))

  const ofTask = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ environmentId: Schema.String }),
    execute: (id) => sql`SELECT environment_id FROM task_inputs WHERE task_id = ${id}`
  }))

  const ofLoop = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ environmentId: Schema.String }),
    execute: (id) => sql`
      SELECT DISTINCT environment_id FROM loop_tasks
      WHERE loop_id IN (SELECT loop_id FROM loop_round_tasks WHERE task_id = ${id})
    `
  }))

  const forget = (id: TaskId) =>
    Effect.gen(function* () {
      const environments = [...(yield* ofTask(id)), ...(yield* ofLoop(id))]
      const forgetTraces = yield* traces.of(id)
      yield* sql`DELETE FROM loops WHERE id IN (SELECT loop_id FROM loop_round_tasks WHERE task_id = ${id})`
      yield* sql`DELETE FROM contests WHERE id IN (SELECT contest_id FROM contest_tasks WHERE task_id = ${id})`
      yield* sql`DELETE FROM outbox WHERE id = ${id} AND kind = 'task'`
      const pipelines = sql`SELECT pipeline_id FROM pipeline_steps WHERE task_id = ${id}`
      yield* sql`DELETE FROM outbox WHERE kind = 'pipeline' AND id IN (${pipelines})`
      yield* sql`DELETE FROM pipelines WHERE id IN (${pipelines})`
      // Inputs, labels, claims and output go with it.
      yield* sql`DELETE FROM tasks WHERE id = ${id} AND ended_at IS NOT NULL`
      yield* forgetTraces
      yield* Effect.forEach(environments, ({ environmentId }) => forgetEnvironment(environmentId), { discard: true })
    })

  const some = (endedBefore: number, limit: number) =>
    Effect.gen(function* () {
      const old = yield* findOld({ endedBefore, limit })
      const ids: Array<TaskId> = []
      let taken = 0
      for (const { bytes, id } of old) {
        if (taken >= batchBytes) break
        yield* forget(id)
        ids.push(id)
        taken += bytes
      }
      return { ids, over: old.length < limit && ids.length === old.length }
    }).pipe(access.write("prune"))

  return (options: { readonly endedBefore: number; readonly limit: number; readonly dryRun: boolean }) =>
    Effect.gen(function* () {
      if (options.dryRun) {
        return (yield* findOld(options).pipe(access.read("prune"))).map(({ id }) => id)
      }
      const gone: Array<TaskId> = []
      while (gone.length < options.limit) {
        const { ids, over } = yield* some(options.endedBefore, Math.min(batch, options.limit - gone.length))
        gone.push(...ids)
        if (over) break
      }
      yield* traces.withoutTasks(options.endedBefore).pipe(access.write("prune"))
      return gone
    })
}
