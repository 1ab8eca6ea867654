/** Drawing the edges of a task: checked and inserted in the transaction that stores or edits it. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DependencyInvalid } from "../../../domain/Errors.ts"
import { maxLevel, resolutionOf } from "../../../domain/task/Dependency.ts"
import { Dependency, type DependencyPolicy, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing, orNotFound } from "../tasks/TaskRows.ts"

interface Edge {
  readonly upstreamId: TaskId
  readonly policy: DependencyPolicy
}

const Level = Schema.Struct({ level: Schema.NullOr(Schema.Int) })

/**
 * A task's level is above that of every task it waits for. That bounds the depth, and a search for a cycle never has to
 * look at tasks below the one it looks for. Levels are not lowered when a task ends: they are computed again before a
 * limit is enforced.
 */
export const makeDependencies = (sql: SqlClient.SqlClient) => {
  const findUpstream = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      ...TaskSummary.pick("id", "status", "cause", "retriedBy").fields,
      level: Schema.Int
    }),
    execute: (id) => sql`SELECT id, status, cause, retried_by, level FROM tasks WHERE id = ${id}`
  }))

  const findLevel = Statement.single(() => ({
    Request: TaskId,
    Result: Level,
    execute: (id) => sql`SELECT level FROM tasks WHERE id = ${id}`
  }))

  /** The level that the edges of a task ask for: one above the highest that is pending. */
  const wantedLevel = Statement.single(() => ({
    Request: TaskId,
    Result: Level,
    execute: (id) => sql`
      SELECT max(upstream.level) + 1 AS level
      FROM task_dependencies edge JOIN tasks upstream ON upstream.id = edge.upstream_id
      WHERE edge.task_id = ${id} AND edge.state = 'pending'
    `
  }))

  /** Finds the task among those it waits for, directly or not: only tasks of a higher level can wait for it. */
  const findCycle = Statement.findAll(() => ({
    Request: Schema.Struct({ id: TaskId, level: Schema.Int }),
    Result: Schema.Struct({ id: TaskId }),
    execute: ({ id, level }) => sql`
      WITH RECURSIVE upstream (id) AS (
        SELECT upstream_id FROM task_dependencies WHERE task_id = ${id} AND state = 'pending'
        UNION
        SELECT edge.upstream_id
        FROM upstream
        JOIN tasks ON tasks.id = upstream.id AND tasks.level > ${level}
        JOIN task_dependencies edge ON edge.task_id = upstream.id AND edge.state = 'pending'
      )
      SELECT id FROM upstream WHERE id = ${id} LIMIT 1
    `
  }))

  /** Computes again the levels of all tasks that this one waits for: tasks that have ended no longer count. */
  const relevel = (id: TaskId) => sql`
    WITH RECURSIVE
      upstream (id) AS (
        SELECT upstream_id FROM task_dependencies WHERE task_id = ${id} AND state = 'pending'
        UNION
        SELECT edge.upstream_id FROM upstream
        JOIN task_dependencies edge ON edge.task_id = upstream.id AND edge.state = 'pending'
      ),
      height (id, level) AS (
        SELECT id, 0 FROM upstream
        UNION
        SELECT edge.task_id, height.level + 1 FROM height
        JOIN task_dependencies edge ON edge.upstream_id = height.id AND edge.state = 'pending'
        JOIN upstream ON upstream.id = edge.task_id
        WHERE height.level <= ${maxLevel}
      )
    UPDATE tasks SET level = found.level
    FROM (SELECT id, max(level) AS level FROM height GROUP BY id) AS found
    WHERE tasks.id = found.id AND tasks.status IN ('queued', 'running')
  `

  /** The task and all tasks whose level must rise when the task has this level. */
  const lifted = (id: string, level: number) => sql`
    WITH RECURSIVE lifted (id, level) AS (
      SELECT ${id}, ${level}
      UNION
      SELECT edge.task_id, lifted.level + 1
      FROM lifted
      JOIN task_dependencies edge ON edge.upstream_id = lifted.id AND edge.state = 'pending'
      JOIN tasks ON tasks.id = edge.task_id AND tasks.level <= lifted.level
      WHERE lifted.level <= ${maxLevel}
    )
  `

  const topOf = Statement.single(() => ({
    Request: Schema.Struct({ id: TaskId, level: Schema.Int }),
    Result: Level,
    execute: ({ id, level }) => sql`${lifted(id, level)} SELECT max(level) AS level FROM lifted`
  }))

  const lift = (id: string, level: number) => sql`
    ${lifted(id, level)}
    UPDATE tasks SET level = found.level
    FROM (SELECT id, max(level) AS level FROM lifted GROUP BY id) AS found
    WHERE tasks.id = found.id AND tasks.status = 'queued'
  `

  const tooDeep = (subject: TaskId) => new DependencyInvalid({ problem: "too-deep", subject })

  /** The latest attempt is the one that counts: an automatic retry replaces the attempt before it. */
  const latest = (id: TaskId) =>
    Effect.gen(function* () {
      let found = yield* findUpstream(id).pipe(orNotFound(id))
      while (found.retriedBy !== null) {
        const next = yield* findUpstream(found.retriedBy)
        if (Option.isNone(next)) return found
        found = next.value
      }
      return found
    })

  /**
   * Stores the edges of a task that has none. Edges to tasks that have ended are resolved immediately. `isNew` skips the
   * search for a cycle: no task waits for one that has just been stored.
   */
  const connect = (id: TaskId, edges: ReadonlyArray<Edge>, isNew: boolean) =>
    Effect.gen(function* () {
      for (const { policy, upstreamId } of edges) {
        const upstream = yield* latest(upstreamId)
        if (upstream.id === id) return yield* new DependencyInvalid({ problem: "self", subject: id })
        const state = resolutionOf(policy, upstream)
        yield* sql`
          INSERT INTO task_dependencies ${sql.insert({ taskId: id, upstreamId: upstream.id, policy, state })}
          ON CONFLICT (task_id, upstream_id) DO NOTHING
        `
      }
      yield* sql`
        UPDATE tasks SET waiting_on = (SELECT count(*) FROM task_dependencies WHERE task_id = ${id} AND state = 'pending')
        WHERE id = ${id}
      `
      const own = (yield* findLevel(id).pipe(orDieWhenMissing)).level ?? 0
      const first = (yield* wantedLevel(id).pipe(orDieWhenMissing)).level ?? 0
      if (!isNew && first > own) {
        const found = yield* findCycle({ id, level: own })
        if (found.length > 0) return yield* new DependencyInvalid({ problem: "cycle", subject: id })
      }
      if (first <= own) return
      // No task waits for a new one. The levels of tasks that wait for an older one rise with it.
      const top = (level: number) =>
        isNew
          ? Effect.succeed(level)
          : Effect.map(orDieWhenMissing(topOf({ id, level })), (found) => found.level ?? level)
      let wanted = first
      if ((yield* top(wanted)) > maxLevel) {
        yield* relevel(id)
        wanted = (yield* wantedLevel(id).pipe(orDieWhenMissing)).level ?? 0
        if ((yield* top(wanted)) > maxLevel) return yield* tooDeep(id)
      }
      yield* isNew ? sql`UPDATE tasks SET level = ${wanted} WHERE id = ${id}` : lift(id, wanted)
    })

  /** The edges of a task, by id of the upstream task. */
  const edgesOf = Statement.findAll(() => ({
    Request: TaskId,
    Result: Dependency,
    execute: (id) => sql`
      SELECT upstream_id AS task_id, policy, state FROM task_dependencies WHERE task_id = ${id} ORDER BY upstream_id
    `
  }))

  return { connect, edgesOf, latest }
}
