/** Wakes on SQLite: a request is a row, which the transaction that ends the run of the agent carries out. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
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
import { makeWakeRows, WakeRow } from "./WakeRows.ts"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read, writeWork } = makeAccess(sql, database)
  const { askedIn, wokenIn } = makeWakeRows(sql)
  const { latest } = makeDependencies(sql)

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

  /** What all attempts of the task have delegated and what has not ended, oldest first. */
  const findOpen = Statement.findAll(() => ({
    Request: TaskId,
    Result: Schema.Struct({ id: TaskId }),
    execute: (id) => sql`
      WITH own (id) AS (
        SELECT ${id}
        UNION SELECT root_id FROM tasks WHERE id = ${id} AND root_id IS NOT NULL
        UNION SELECT other.id FROM tasks task JOIN tasks other
          ON other.root_id = coalesce(task.root_id, task.id) WHERE task.id = ${id}
      )
      SELECT tasks.id FROM own JOIN tasks ON tasks.parent_id = own.id
      WHERE tasks.ended_at IS NULL AND tasks.id NOT IN (SELECT id FROM own)
      ORDER BY tasks.seq LIMIT ${mostAwaited}
    `
  }))

  /** Whether one task waits for another, directly or not. */
  const findPath = Statement.findAll(() => ({
    Request: Schema.Struct({ from: TaskId, to: TaskId }),
    Result: Schema.Struct({ id: TaskId }),
    execute: ({ from, to }) => sql`
      WITH RECURSIVE upstream (id) AS (
        SELECT ${from}
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

  const isWakeLost = ({ from, to }: { readonly from: TaskId; readonly to: TaskId }) =>
    Effect.map(findPath({ from, to }), (found) => found.length > 0)

  const ask = ({ askedBy, ids, mode, taskId }: WakeRequest) =>
    Effect.gen(function* () {
      const refused = (problem: WakeRefused["problem"], detail = "") => new WakeRefused({ id: taskId, problem, detail })
      const run = yield* findRun(taskId)
      if (Option.isNone(run)) return yield* refused("not-running")
      const { claimId, given, goalId, goalWakes, maxWakes, sessionId, wakes } = run.value
      // A lead that has been woken once without asking has to end.
      if (askedBy === "backbeat" && given > 0) return yield* refused("limit", "1 of 1 automatic")
      const named = ids.length > 0 ? ids : (yield* findOpen(taskId)).map(({ id }) => id)
      const attempts = yield* Effect.forEach(named, latest)
      const awaited = Array.from(new Set(attempts.filter(({ status }) => isOpen(status)).map(({ id }) => id)))
      if (awaited.length === 0) return yield* refused("nothing-open")
      if (wakes >= mostWakes) return yield* refused("limit", `${wakes} of ${mostWakes}`)
      for (const id of awaited) {
        if (yield* isWakeLost({ from: id, to: taskId })) return yield* refused("cycle", id)
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
