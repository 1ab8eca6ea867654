/** The read model of tasks on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { AmbiguousReference, TaskNotFound } from "../../../domain/Errors.ts"
import { TaskGlance, TaskId, TaskStatus, Timestamp } from "../../../domain/task/Task.ts"
import { TaskEdge, TaskNode } from "../../../domain/task/TaskGraph.ts"
import { TaskEnded, TerminalEvent } from "../../../domain/task/TerminalEvent.ts"
import { Paths } from "../../../services/Paths.ts"
import { type ListFilter, Tasks } from "../../../services/Tasks.ts"
import { makeAccess } from "../database/Immediate.ts"
import { makeOtherKind } from "../database/otherKind.ts"
import * as Statement from "../database/Statement.ts"
import { findDuring } from "../findDuring.ts"
import { makeWaits } from "../limits/waits.ts"
import { makeAskingTasks } from "../questions/askingTasks.ts"
import { makeAhead } from "./ahead.ts"
import { makeHalts } from "./halts.ts"
import { SummaryRow, summaryColumns } from "./Rows.ts"
import { moreBound, seqsOf } from "./TaskList.ts"
import { IdRow, orDieWhenMissing, orNotFound, summaryById, taskById } from "./TaskRows.ts"

const bound = 1000

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read } = makeAccess(sql, database)
  const otherKind = makeOtherKind(sql)
  const task = taskById(sql)
  const summary = summaryById(sql)

  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: IdRow,
    execute: ({ from, to }) =>
      sql`SELECT id FROM tasks WHERE id >= ${from} AND id < ${to} ORDER BY id LIMIT ${candidates}`
  }))

  const findNewest = Statement.findOne(() => ({
    Request: Schema.Void,
    Result: IdRow,
    execute: () => sql`SELECT id FROM tasks WHERE seq = (SELECT max(seq) FROM tasks)`
  }))

  const columns = sql.literal(summaryColumns)
  const findPage = (filter: ListFilter) =>
    Statement.findAll(() => ({
      Request: Schema.Void,
      Result: SummaryRow,
      execute: () => sql`
        SELECT ${columns} FROM tasks WHERE tasks.seq IN (${seqsOf(sql, filter, filter.limit)}) ORDER BY tasks.seq DESC
      `
    }))()

  const countBeyond = (filter: ListFilter, last: number) =>
    Statement.single(() => ({
      Request: Schema.Void,
      Result: Schema.Struct({ count: Schema.Int }),
      execute: () => sql`SELECT count(*) AS count FROM (${seqsOf(sql, { ...filter, before: last }, moreBound)})`
    }))()

  const glanceColumns = sql.literal(Object.keys(TaskGlance.fields).map(Str.camelToSnake).join(", "))
  const findNewestOnes = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: TaskGlance,
    execute: (limit) => sql`SELECT ${glanceColumns} FROM tasks ORDER BY seq DESC LIMIT ${limit}`
  }))

  const findCounts = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ status: TaskStatus, count: Schema.Int }),
    execute: () => sql`SELECT status, count FROM task_counts`
  }))

  const ahead = makeAhead(sql)
  const during = findDuring(sql)
  const waits = makeWaits(sql)

  const findChildren = Statement.findAll(() => ({
    Request: TaskId,
    Result: IdRow,
    execute: (id) => sql`SELECT id FROM tasks WHERE parent_id = ${id} ORDER BY seq LIMIT ${bound}`
  }))

  const edgeColumns = sql.literal('edge.upstream_id AS "from", edge.task_id AS "to", edge.policy, edge.state')

  const findEdges = Statement.findAll(() => ({
    Request: Schema.Struct({ ids: Schema.parseJson(Schema.Array(TaskId)), limit: Schema.Int }),
    Result: TaskEdge,
    execute: ({ ids, limit }) => sql`
      SELECT ${edgeColumns} FROM task_dependencies edge WHERE edge.task_id IN (SELECT value FROM json_each(${ids}))
      UNION
      SELECT ${edgeColumns} FROM task_dependencies edge WHERE edge.upstream_id IN (SELECT value FROM json_each(${ids}))
      LIMIT ${limit}
    `
  }))

  const findWaiting = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: TaskEdge,
    execute: (limit) => sql`
      SELECT ${edgeColumns} FROM task_dependencies edge
      WHERE edge.task_id IN (
        SELECT pending.task_id FROM task_dependencies pending INDEXED BY task_dependencies_pending
        JOIN tasks ON tasks.id = pending.task_id AND tasks.status = 'queued'
        WHERE pending.state = 'pending' LIMIT ${limit}
      )
      LIMIT ${limit}
    `
  }))

  const nodeColumns = sql.literal(Object.keys(TaskNode.fields).map(Str.camelToSnake).join(", "))
  const findNodes = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(TaskId)),
    Result: TaskNode,
    execute: (ids) => sql`
      SELECT ${nodeColumns} FROM tasks WHERE id IN (SELECT value FROM json_each(${ids})) ORDER BY seq
    `
  }))

  const findAttempts = Statement.findAll(() => ({
    Request: TaskId,
    Result: SummaryRow,
    execute: (rootId) => sql`
      SELECT ${columns} FROM tasks WHERE tasks.id = ${rootId}
      UNION ALL
      SELECT * FROM (SELECT ${columns} FROM tasks WHERE tasks.root_id = ${rootId} ORDER BY tasks.seq LIMIT ${bound - 1})
    `
  }))

  const findDue = Statement.findOne(() => ({
    Request: Schema.Number,
    Result: Schema.Struct({ notBefore: Timestamp }),
    execute: (now) => sql`
      SELECT not_before FROM tasks INDEXED BY tasks_due
      WHERE status = 'queued' AND waiting_on = 0 AND not_before > ${now} ORDER BY not_before LIMIT 1
    `
  }))

  const findCancelRequested = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: IdRow,
    execute: () => sql`
      SELECT id FROM tasks INDEXED BY tasks_cancel
      WHERE status = 'running' AND cancel_requested_at IS NOT NULL ORDER BY cancel_requested_at LIMIT ${bound}
    `
  }))

  const findEvents = Statement.findAll(() => ({
    Request: Schema.Struct({ after: Schema.Number, limit: Schema.Number }),
    Result: TerminalEvent,
    execute: ({ after, limit }) => sql`
      SELECT seq, kind, id, status, cause, at, retried_by FROM outbox WHERE seq > ${after} ORDER BY seq LIMIT ${limit}
    `
  }))

  const findEndsOf = Statement.findAll(() => ({
    Request: Schema.Array(Schema.String),
    Result: TaskEnded,
    execute: (ids) => sql`
      SELECT seq, kind, id, status, cause, at, retried_by FROM outbox
      WHERE ${sql.in("id", ids)} AND kind = 'task' ORDER BY seq
    `
  }))

  const findLastEvent = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ seq: Schema.Int }),
    execute: () => sql`SELECT coalesce(max(seq), 0) AS seq FROM outbox`
  }))

  const findVersion = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ dataVersion: Schema.Int }),
    execute: () => sql`PRAGMA data_version`
  }))

  const findOwnChanges = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ changes: Schema.Int }),
    execute: () => sql`SELECT total_changes() AS changes`
  }))

  return Tasks.of({
    get: Effect.fn("Tasks.get")((id) => task(id).pipe(orNotFound(id), read("get"))),

    summary: Effect.fn("Tasks.summary")((id) => summary(id).pipe(orNotFound(id), read("summary"))),

    resolve: Effect.fn("Tasks.resolve")(function* (reference) {
      if (reference === "@last") {
        return (yield* findNewest().pipe(orNotFound(reference), read("resolve"))).id
      }
      // A text that begins with the characters of an id sorts before these characters and `~`.
      const found =
        reference === "" ? [] : yield* findByPrefix({ from: reference, to: `${reference}~` }).pipe(read("resolve"))
      const [first, second] = found
      if (first === undefined) {
        return yield* new TaskNotFound({ reference, ...(yield* otherKind(reference).pipe(read("resolve"))) })
      }
      if (second === undefined) return first.id
      return yield* new AmbiguousReference({ reference, candidates: found.map(({ id }) => id) })
    }),

    list: Effect.fn("Tasks.list")(function* (filter) {
      const tasks = yield* findPage(filter).pipe(read("list"))
      const last = tasks.at(-1)
      if (last === undefined || tasks.length < filter.limit) return { tasks, more: 0 }
      const { count } = yield* countBeyond(filter, last.seq).pipe(orDieWhenMissing, read("list"))
      return { tasks, more: count }
    }),

    newest: Effect.fn("Tasks.newest")((limit) => findNewestOnes(limit).pipe(read("newest"))),

    counts: Effect.gen(function* () {
      const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
      for (const { count, status } of yield* findCounts().pipe(read("counts"))) counts[status] = count
      return counts
    }).pipe(Effect.withSpan("Tasks.counts")),

    ahead: Effect.fn("Tasks.ahead")((id) => ahead(id).pipe(read("ahead"))),

    during: Effect.fn("Tasks.during")((from, until, limit) => during(from, until, limit).pipe(read("during"))),

    children: Effect.fn("Tasks.children")(function* (id) {
      return (yield* findChildren(id).pipe(read("children"))).map((child) => child.id)
    }),

    edges: Effect.fn("Tasks.edges")((ids, limit) =>
      (ids === null ? findWaiting(limit) : findEdges({ ids, limit })).pipe(read("edges"))
    ),

    nodes: Effect.fn("Tasks.nodes")((ids) => findNodes(ids).pipe(read("nodes"))),

    attempts: Effect.fn("Tasks.attempts")((rootId) => findAttempts(rootId).pipe(read("attempts"))),

    nextDue: Effect.fn("Tasks.nextDue")(function* (now) {
      return Option.map(yield* findDue(now).pipe(read("nextDue")), ({ notBefore }) => notBefore)
    }),

    limitWait: Effect.fn("Tasks.limitWait")((id) => waits.limitWait(id).pipe(read("limitWait"))),
    placeWait: Effect.fn("Tasks.placeWait")((id) => waits.placeWait(id).pipe(read("placeWait"))),
    goalWait: Effect.fn("Tasks.goalWait")((id) => waits.goalWait(id).pipe(read("goalWait"))),

    parks: Effect.fn("Tasks.parks")((id) => waits.parks(id).pipe(read("parks"))),

    cancelRequested: findCancelRequested().pipe(
      read("cancelRequested"),
      Effect.map((rows) => rows.map(({ id }) => id)),
      Effect.withSpan("Tasks.cancelRequested")
    ),

    ...makeAskingTasks(sql, read),
    ...makeHalts(sql, read),

    events: Effect.fn("Tasks.events")((after, limit) => findEvents({ after, limit }).pipe(read("events"))),

    endsOf: Effect.fn("Tasks.endsOf")((ids) =>
      ids.length === 0 ? Effect.succeed([]) : findEndsOf(ids).pipe(read("endsOf"))
    ),

    lastEvent: findLastEvent().pipe(
      orDieWhenMissing,
      read("lastEvent"),
      Effect.map(({ seq }) => seq),
      Effect.withSpan("Tasks.lastEvent")
    ),

    version: findVersion().pipe(
      orDieWhenMissing,
      read("version"),
      Effect.map(({ dataVersion }) => dataVersion)
    ),

    ownChanges: findOwnChanges().pipe(
      orDieWhenMissing,
      read("ownChanges"),
      Effect.map(({ changes }) => changes)
    )
  })
})

export const layer = Layer.effect(Tasks, make)
