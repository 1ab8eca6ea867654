/** What the end of tasks means for those that wait for them: unblocked, or cancelled with all that hangs on them. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { GroupId } from "../../../domain/GroupId.ts"
import { type TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { phrases, reasonLength } from "../../../domain/task/unmetBecause.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { IdRow } from "../tasks/TaskRows.ts"

/** Ids as one parameter of a statement, whatever their number. */
const Ids = Schema.parseJson(Schema.Array(Schema.String))

/**
 * The dependency part of the transaction that ends tasks, or that stores one behind tasks which have ended. Set-based:
 * thousands of dependents cost a handful of statements.
 */
export const makeReleaseDependents = (sql: SqlClient.SqlClient) => {
  const resolveEdges = Statement.run(() => ({
    Request: Ids,
    execute: (ended) => sql`
      UPDATE task_dependencies SET state = CASE
        WHEN policy = 'finished' THEN 'met'
        WHEN policy = 'success' THEN iif(upstream.status = 'completed', 'met', 'unmet')
        ELSE iif(upstream.status = 'failed' OR upstream.cause = 'dependency-failed', 'met', 'unmet')
      END
      FROM tasks AS upstream
      WHERE task_dependencies.upstream_id IN (SELECT value FROM json_each(${ended}))
        AND task_dependencies.state = 'pending'
        AND upstream.id = task_dependencies.upstream_id
        AND upstream.status IN ('completed', 'failed', 'cancelled')
    `
  }))

  const meetGroup = (id: GroupId) =>
    direct(sql`
      UPDATE task_dependencies SET state = 'met' WHERE upstream_id = ${id} AND state = 'pending' RETURNING task_id
    `)

  /** How the first of them ended, and why where its answer said so. */
  const told = sql`(
    SELECT status || ' (' || cause || CASE cause WHEN 'rejected' THEN ': ' || coalesce(substr(error, 1, ${reasonLength}), '') ELSE '' END || ')'
    FROM tasks root WHERE root.id = found.root
  )`

  // A task that waits for the success of a doomed one is doomed too; one that waits for its end or failure is not.
  const cancelDoomed = Statement.findAll(() => ({
    Request: Schema.Struct({ seeds: Ids, at: Timestamp }),
    Result: IdRow,
    execute: ({ at, seeds }) => sql`
      WITH RECURSIVE
        doomed (id, root, policy) AS (
          SELECT edge.task_id, edge.upstream_id, edge.policy
          FROM task_dependencies edge JOIN tasks ON tasks.id = edge.task_id AND tasks.status = 'queued'
          WHERE edge.task_id IN (SELECT value FROM json_each(${seeds})) AND edge.state = 'unmet'
          UNION
          SELECT edge.task_id, doomed.root, NULL
          FROM doomed
          JOIN task_dependencies edge
            ON edge.upstream_id = doomed.id AND edge.state = 'pending' AND edge.policy = 'success'
          JOIN tasks ON tasks.id = edge.task_id AND tasks.status = 'queued'
        )
      UPDATE tasks SET
        status = 'cancelled', cause = 'dependency-failed', ended_at = ${at}, waiting_on = 0, asks = 0,
        error = 'Task ' || found.root || CASE
            WHEN found.policy = 'failure' THEN ${` ${phrases.failure}`}
            ELSE ' ' || coalesce(${told}, 'ended') || iif(found.policy IS NULL, ${phrases.through}, ${phrases.success})
          END || ${` ${phrases.again} `} || tasks.id
      FROM (SELECT id, min(root) AS root, policy FROM doomed GROUP BY id) AS found
      WHERE tasks.id = found.id AND tasks.status = 'queued'
      RETURNING tasks.id
    `
  }))

  const findDoomedBy = Statement.findAll(() => ({
    Request: Ids,
    Result: IdRow,
    execute: (ended) => sql`
      SELECT DISTINCT task_id AS id FROM task_dependencies
      WHERE upstream_id IN (SELECT value FROM json_each(${ended})) AND state = 'unmet'
    `
  }))

  const appendEvents = Statement.run(() => ({
    Request: Schema.Struct({ ids: Ids, at: Timestamp }),
    execute: ({ at, ids }) => sql`
      INSERT INTO outbox (kind, id, status, cause, at)
      SELECT 'task', id, status, cause, ${at} FROM tasks
      WHERE id IN (SELECT value FROM json_each(${ids})) ORDER BY seq
    `
  }))

  // A task that waits for any of several waits no more.
  const liftAny = Statement.run(() => ({
    Request: Ids,
    execute: (ended) => sql`
      DELETE FROM task_dependencies WHERE state = 'pending' AND wake = 2 AND task_id IN (
        SELECT task_id FROM task_dependencies
        WHERE upstream_id IN (SELECT value FROM json_each(${ended})) AND wake = 2 AND state = 'met'
      )
    `
  }))

  const recount = Statement.run(() => ({
    Request: Ids,
    execute: (ended) => sql`
      UPDATE tasks SET waiting_on = (
        SELECT count(*) FROM task_dependencies own WHERE own.task_id = tasks.id AND own.state = 'pending'
      )
      WHERE status = 'queued' AND id IN (
        SELECT task_id FROM task_dependencies WHERE upstream_id IN (SELECT value FROM json_each(${ended}))
      )
    `
  }))

  const settle = (ended: ReadonlyArray<TaskId>) =>
    Effect.all([resolveEdges(ended), liftAny(ended), recount(ended)], { discard: true })

  /** Cancels what can never start among `seeds` and all that hangs on it. Returns what it ended. */
  const cascade = (seeds: ReadonlyArray<TaskId>) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const cancelled = (yield* cancelDoomed({ seeds, at })).map(({ id }) => id)
      if (cancelled.length === 0) return cancelled
      yield* appendEvents({ ids: cancelled, at })
      yield* settle(cancelled)
      return cancelled
    })

  return {
    cascade,
    /** Resolves what waits for a pipeline, a loop or a contest that has just ended. */
    releaseAwaiting: (group: GroupId) =>
      Effect.flatMap(meetGroup(group), (met) =>
        met.length === 0 ? Effect.void : Effect.zipRight(liftAny([group]), recount([group]))
      ),
    /** Resolves what waits for a task that has just ended. Returns the tasks it cancelled for it. */
    releaseDependents: (ended: TaskId) =>
      Effect.gen(function* () {
        yield* settle([ended])
        const doomed = yield* findDoomedBy([ended])
        return doomed.length === 0 ? [] : yield* cascade(doomed.map(({ id }) => id))
      })
  }
}
