/** Wakes on SQLite: a request is a row, which the transaction that ends the run of the agent carries out. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GroupId } from "../../../domain/GroupId.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { mostAwaited, mostWakes, WakeRefused } from "../../../domain/wake/Wake.ts"
import { ClaimId } from "../../../domain/worker/Claim.ts"
import { Paths } from "../../../services/Paths.ts"
import { type WakeRequest, Wakes } from "../../../services/Wakes.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeDependencies } from "../queue/Dependencies.ts"
import { makeGroupEdges } from "./groupEdges.ts"
import { makeWakeRows, WakeRow } from "./WakeRows.ts"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read, writeWork } = makeAccess(sql, database)
  const { askedIn, wokenIn } = makeWakeRows(sql)
  const { latest } = makeDependencies(sql)
  const groupEdges = makeGroupEdges(sql)

  /** The task in all of its attempts. */
  const ownOf = (id: string) => sql`
    own (id) AS (
      SELECT ${id}
      UNION SELECT root_id FROM tasks WHERE id = ${id} AND root_id IS NOT NULL
      UNION SELECT other.id FROM tasks task JOIN tasks other
        ON other.root_id = coalesce(task.root_id, task.id) WHERE task.id = ${id}
    )
  `

  const findRun = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      claimId: ClaimId,
      wakes: Schema.Int,
      sessionId: Schema.NullOr(Schema.String),
      goalId: Schema.NullOr(LoopId),
      goalWakes: Schema.NullOr(Schema.Int),
      maxWakes: Schema.NullOr(Schema.Int),
      /** Wakes that its agent has not asked for. */
      given: Schema.Int
    }),
    execute: (id) => sql`
      SELECT claims.claim_id, tasks.wakes, tasks.session_id, tasks.goal_id, goals.wakes AS goal_wakes, goals.max_wakes,
        (SELECT count(*) FROM wakes WHERE task_id = tasks.id AND asked_by = 'backbeat' AND parked_at IS NOT NULL) AS given
      FROM claims JOIN tasks ON tasks.id = claims.task_id LEFT JOIN goals ON goals.loop_id = tasks.goal_id
      WHERE claims.task_id = ${id}
    `
  }))

  /** What it has delegated and what has not ended, oldest first. Rounds and candidates count as their loops and contests. */
  const findOpen = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ id: TaskId }),
    execute: (id) => sql`
      WITH ${ownOf(id)}
      SELECT tasks.id FROM own JOIN tasks ON tasks.parent_id = own.id
      WHERE tasks.ended_at IS NULL AND tasks.id NOT IN (SELECT id FROM own)
        AND NOT EXISTS (SELECT 1 FROM loop_round_tasks WHERE task_id = tasks.id)
        AND NOT EXISTS (SELECT 1 FROM contest_tasks WHERE task_id = tasks.id AND number > 0)
      ORDER BY tasks.seq LIMIT ${mostAwaited}
    `
  }))

  const findOpenGroups = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ id: GroupId }),
    execute: (id) => sql`
      WITH ${ownOf(id)}, children (id) AS (SELECT tasks.id FROM own JOIN tasks ON tasks.parent_id = own.id)
      SELECT id FROM loops WHERE status IN ('running', 'paused') AND EXISTS (
        SELECT 1 FROM loop_round_tasks WHERE loop_id = loops.id AND task_id IN (SELECT id FROM children)
      )
      UNION ALL SELECT id FROM contests WHERE status = 'running' AND EXISTS (
        SELECT 1 FROM contest_tasks
        WHERE contest_id = contests.id AND number > 0 AND task_id IN (SELECT id FROM children)
      )
      LIMIT ${mostAwaited}
    `
  }))

  /** Whether one of these tasks waits for another, directly or not. */
  const findPath = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.parseJson(Schema.Array(TaskId)), to: TaskId }),
    Result: Schema.Struct({ id: TaskId }),
    execute: ({ from, to }) => sql`
      WITH RECURSIVE upstream (id) AS (
        SELECT value FROM json_each(${from})
        UNION
        SELECT edge.upstream_id FROM upstream
        JOIN task_dependencies edge ON edge.task_id = upstream.id AND edge.state = 'pending'
      )
      SELECT id FROM upstream WHERE id = ${to} LIMIT 1
    `
  }))

  const insertWake = Statement.run(() => ({
    Request: WakeRow,
    execute: (row) => sql`INSERT INTO wakes ${sql.insert(row)}`
  }))

  const isWakeLost = (from: ReadonlyArray<TaskId>, to: TaskId) =>
    Effect.map(findPath({ from, to }), (found) => found.length > 0)

  const ask = ({ askedBy, groups, ids, mode, taskId }: WakeRequest) =>
    Effect.gen(function* () {
      const refused = (problem: WakeRefused["problem"], detail = "") => new WakeRefused({ id: taskId, problem, detail })
      const run = yield* findRun(taskId)
      if (Option.isNone(run)) return yield* refused("not-running")
      const { claimId, given, goalId, goalWakes, maxWakes, sessionId, wakes } = run.value
      // A lead that has been woken once without asking has to end.
      if (askedBy === "backbeat" && given > 0) return yield* refused("limit", "1 of 1 automatic")
      const isNamed = ids.length + groups.length > 0
      const named = isNamed ? ids : (yield* findOpen(taskId)).map(({ id }) => id)
      const namedGroups = isNamed ? groups : (yield* findOpenGroups(taskId)).map(({ id }) => id)
      const attempts = yield* Effect.forEach(named, latest)
      const openTasks = new Set(attempts.filter(({ status }) => isOpen(status)).map(({ id }) => id))
      const openGroups = yield* Effect.filter(namedGroups, groupEdges.isOpen)
      const awaited = [...openTasks, ...openGroups].slice(0, mostAwaited)
      if (awaited.length === 0) return yield* refused("nothing-open")
      if (wakes >= mostWakes) return yield* refused("limit", `${wakes} of ${mostWakes}`)
      for (const id of openTasks) {
        if (yield* isWakeLost([id], taskId)) return yield* refused("cycle", `Task ${id}`)
      }
      for (const id of openGroups) {
        const members = (yield* groupEdges.openTasks(id)).map((member) => member.id)
        if (yield* isWakeLost(members, taskId)) return yield* refused("cycle", `A task of ${id}`)
      }
      // What a run before this one asked for, or this one before: a wake that replaces it is not counted.
      const replaced = yield* direct(
        sql`DELETE FROM wakes WHERE task_id = ${taskId} AND parked_at IS NULL RETURNING claim_id`
      )
      if (goalId !== null && goalWakes !== null && maxWakes !== null && replaced.length === 0) {
        if (goalWakes >= maxWakes) return yield* refused("limit", `${goalWakes} of ${maxWakes}`)
        yield* sql`UPDATE goals SET wakes = wakes + 1 WHERE loop_id = ${goalId}`
      }
      const row = {
        taskId,
        n: wakes + 1,
        claimId,
        mode,
        askedBy,
        askedAt: yield* Clock.currentTimeMillis,
        parkedAt: null,
        wokenAt: null,
        sessionId
      }
      yield* insertWake(row)
      for (const [position, awaitedId] of awaited.entries()) {
        yield* sql`INSERT INTO wake_tasks ${sql.insert({ taskId, n: row.n, position, awaitedId })}`
      }
      return { ...row, awaited }
    })

  const findSession = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ sessionId: Schema.NullOr(Schema.String) }),
    execute: (id) => sql`
      SELECT wakes.session_id FROM tasks JOIN wakes ON wakes.task_id = tasks.id AND wakes.n = tasks.wakes
      WHERE tasks.id = ${id}
    `
  }))

  return Wakes.of({
    ask: Effect.fn("Wakes.ask")((request) => ask(request).pipe(writeWork("askToBeWoken"))),
    askedIn: Effect.fn("Wakes.askedIn")((claim) => askedIn(claim).pipe(read("wakeAsked"))),
    wokenIn: Effect.fn("Wakes.wokenIn")((claim) => wokenIn(claim).pipe(read("wakeOfClaim"))),
    sessionOf: Effect.fn("Wakes.sessionOf")((task) =>
      findSession(task).pipe(
        Effect.map(Option.match({ onNone: () => null, onSome: ({ sessionId }) => sessionId })),
        read("wakeSession")
      )
    )
  })
})

const isOpen = (status: string): boolean => status === "queued" || status === "running"

export const layer = Layer.effect(Wakes, make)
