/** Gates and groups on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Gate, type GateScope, Group, holdOf } from "../../../domain/gates/Gate.ts"
import { GroupLimit, GroupName } from "../../../domain/gates/GroupName.ts"
import { TaskId, TaskSummary, Timestamp } from "../../../domain/task/Task.ts"
import { Gates } from "../../../services/Gates.ts"
import { Paths } from "../../../services/Paths.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { IdRow } from "../tasks/TaskRows.ts"
import { storedFlag } from "../workspaces/WorkspaceRows.ts"

const GateRow = Schema.Struct({ ...Gate.fields, freeze: storedFlag })

const mostGates = 200
const mostGroups = 1000
const bound = 1000

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

  const save = Statement.run(() => ({
    Request: GateRow,
    execute: ({ at, by, freeze, name, reason, scope, until }) => sql`
      INSERT INTO gates ${sql.insert({ scope, name, untilAt: until, reason, closedBy: by, at, freeze })}
      ON CONFLICT (scope, name) DO UPDATE SET until_at = excluded.until_at, reason = excluded.reason,
        closed_by = excluded.closed_by, at = excluded.at, freeze = excluded.freeze
    `
  }))

  const remove = Statement.findOne(() => ({
    Request: Schema.Struct({ scope: Gate.fields.scope, name: Schema.String, now: Timestamp }),
    Result: Schema.Struct({ held: storedFlag }),
    execute: ({ name, now, scope }) => sql`
      DELETE FROM gates WHERE scope = ${scope} AND name = ${name} RETURNING coalesce(until_at > ${now}, 1) AS held
    `
  }))

  const findGates = Statement.findAll(() => ({
    Request: Timestamp,
    Result: GateRow,
    execute: (now) => sql`
      SELECT scope, name, until_at AS "until", reason, closed_by AS "by", at, freeze FROM gates
      WHERE until_at IS NULL OR until_at > ${now} ORDER BY at, scope, name LIMIT ${mostGates}
    `
  }))

  const findGroups = Statement.findAll(() => ({
    Request: Schema.NullOr(GroupName),
    Result: Group,
    execute: (name) => sql`
      SELECT name, max_running AS "limit",
        (SELECT count(*) FROM claims JOIN tasks ON tasks.id = claims.task_id WHERE tasks."group" = task_groups.name) AS running,
        (SELECT count(*) FROM (
          SELECT 1 FROM tasks WHERE tasks."group" = task_groups.name AND tasks.status = 'queued' LIMIT ${bound}
        )) AS waiting
      FROM task_groups WHERE ${name} IS NULL OR name = ${name} ORDER BY name LIMIT ${mostGroups}
    `
  }))

  const findQueued = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("id", "agent", "group", "pipelineId"),
    execute: (id) => sql`
      SELECT tasks.id, tasks.agent, tasks."group", tasks.pipeline_id FROM tasks WHERE id = ${id} AND status = 'queued'
    `
  }))

  const findPausing = Statement.findAll(() => ({
    Request: Schema.Struct({ now: Timestamp, freeze: storedFlag }),
    Result: IdRow,
    execute: ({ freeze, now }) => sql`
      SELECT gates.name AS id FROM gates JOIN claims ON claims.task_id = gates.name
      WHERE gates.scope = 'task' AND gates.freeze = ${freeze}
        AND (gates.until_at IS NULL OR gates.until_at > ${now}) LIMIT ${bound}
    `
  }))

  const saveGroup = Statement.run(() => ({
    Request: Schema.Struct({ name: GroupName, limit: Schema.NullOr(GroupLimit), now: Timestamp }),
    execute: ({ limit, name, now }) => sql`
      INSERT INTO task_groups ${sql.insert({ name, maxRunning: limit, createdAt: now })}
      ON CONFLICT (name) DO UPDATE SET max_running = excluded.max_running
    `
  }))

  const gates = Effect.flatMap(Clock.currentTimeMillis, findGates)

  const runningBehind = (freeze: boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => findPausing({ now, freeze })).pipe(
      Effect.map((rows) => rows.map(({ id }) => id))
    )

  /**
   * What it holds has ended: a pause may have come after the end, or after the task was pruned. One whose time has passed stays, and
   * holds nothing: the clock may be ahead, and be put right. There is at most one for each name. That of the step of a pipeline whose
   * loop runs makes room: the loop holds the step by a gate of that name.
   */
  const isOver = (now: number) => sql`(
    (until_at <= ${now} AND scope = 'task' AND EXISTS (
      SELECT 1 FROM loops WHERE loops.step_task = gates.name AND loops.ended_at IS NULL
    ))
    OR (scope = 'task' AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = gates.name AND ended_at IS NULL))
    OR (scope = 'pipeline' AND (
      NOT EXISTS (SELECT 1 FROM pipelines WHERE pipelines.id = gates.name)
      OR EXISTS (SELECT 1 FROM outbox WHERE outbox.id = gates.name AND kind = 'pipeline')
    ))
  )`

  return Gates.of({
    close: Effect.fn("Gates.close")((gate) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => save({ ...gate, at })).pipe(access.write("gates.close"))
    ),

    open: Effect.fn("Gates.open")((scope: GateScope, name: string) =>
      Effect.gen(function* () {
        const opened = yield* remove({ scope, name, now: yield* Clock.currentTimeMillis })
        return Option.exists(opened, ({ held }) => held)
      }).pipe(access.writeWork("gates.open"))
    ),

    list: gates.pipe(access.read("gates"), Effect.withSpan("Gates.list")),

    holding: Effect.fn("Gates.holding")((id) =>
      Effect.gen(function* () {
        const task = yield* findQueued(id)
        if (Option.isNone(task)) return Option.none()
        const { group } = task.value
        const [own] = group === null ? [] : yield* findGroups(group)
        return Option.fromNullable(holdOf(task.value, yield* gates, own ?? null, yield* Clock.currentTimeMillis))
      }).pipe(access.read("holding"))
    ),

    freezing: runningBehind(true).pipe(access.read("freezing"), Effect.withSpan("Gates.freezing")),

    pausing: runningBehind(false).pipe(access.read("pausing"), Effect.withSpan("Gates.pausing")),

    tidy: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const over = yield* direct(sql`SELECT 1 FROM gates WHERE ${isOver(now)} LIMIT 1`).pipe(access.read("gates"))
      if (over.length > 0) yield* sql`DELETE FROM gates WHERE ${isOver(now)}`.pipe(access.write("gates.tidy"))
    }).pipe(Effect.withSpan("Gates.tidy")),

    groups: findGroups(null).pipe(access.read("groups"), Effect.withSpan("Gates.groups")),

    hasGroup: Effect.fn("Gates.hasGroup")((name) =>
      direct(sql`SELECT 1 FROM task_groups WHERE name = ${name}`).pipe(
        Effect.map((rows) => rows.length > 0),
        access.read("hasGroup")
      )
    ),

    setGroup: Effect.fn("Gates.setGroup")((name, limit) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => saveGroup({ name, limit, now })).pipe(
        access.writeWork("setGroup")
      )
    ),

    removeGroup: Effect.fn("Gates.removeGroup")((name) =>
      Effect.gen(function* () {
        const used = yield* direct(sql`
          SELECT 1 FROM tasks WHERE "group" = ${name} AND status IN ('queued', 'running') LIMIT 1
        `)
        if (used.length > 0) return "busy" as const
        yield* sql`DELETE FROM gates WHERE scope = 'group' AND name = ${name}`
        const removed = yield* direct(sql`DELETE FROM task_groups WHERE name = ${name} RETURNING name`)
        return removed.length > 0 ? ("removed" as const) : ("missing" as const)
      }).pipe(access.writeWork("removeGroup"))
    )
  })
})

export const layer = Layer.effect(Gates, make)
