/** Deliveries on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  Delivery,
  DeliveryState,
  lostTry,
  nearlyOverMs,
  patienceMs,
  Sending,
  Taken
} from "../../../domain/hooks/Delivery.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import { Deliveries } from "../../../services/Deliveries.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeDecide, tracesFor } from "./decide.ts"
import { makeSum } from "./sum.ts"

const forgotten = "the hook was removed"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const decisions = makeDecide(sql, access, yield* Ids)
  const sum = makeSum(sql)

  const columns = sql`hook, seq, id, kind, task_id, state, attempts, next_at, lead, last, created_at, ended_at`

  const take = Statement.findOne(() => ({
    Request: Schema.Struct({ hooks: Schema.Array(Schema.String), sender: Schema.String, now: Timestamp }),
    Result: Sending,
    execute: ({ hooks, now, sender }) => sql`
      UPDATE deliveries SET state = 'sending', sender = ${sender}, attempts = attempts + 1,
        first_at = coalesce(first_at, ${now}), next_at = NULL, set_at = ${now}
      WHERE state = 'due' AND number = (
        SELECT number FROM deliveries WHERE state = 'due' AND next_at <= ${now} AND ${sql.in("hook", hooks)}
        ORDER BY next_at, number LIMIT 1
      )
      RETURNING hook, seq, id, attempts, first_at, body
    `
  }))

  const findTaken = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Taken,
    execute: () => sql`SELECT hook, seq, sender FROM deliveries WHERE state = 'sending' ORDER BY number`
  }))

  const findNext = Statement.findOne(() => ({
    Request: Schema.Array(Schema.String),
    Result: Schema.Struct({ nextAt: Timestamp }),
    execute: (hooks) => sql`
      SELECT next_at FROM deliveries WHERE state = 'due' AND ${sql.in("hook", hooks)} ORDER BY next_at LIMIT 1
    `
  }))

  const findSome = Statement.findAll(() => ({
    Request: Schema.Struct({
      hook: Schema.NullOr(Schema.String),
      states: Schema.Array(DeliveryState),
      limit: Schema.Int
    }),
    Result: Delivery,
    execute: ({ hook, limit, states }) => sql`
      SELECT ${columns} FROM deliveries
      WHERE (${hook} IS NULL OR hook = ${hook}) AND ${states.length === 0 ? sql`1` : sql.in("state", states)}
      ORDER BY number DESC LIMIT ${limit}
    `
  }))

  const findOne = Statement.findOne(() => ({
    Request: Schema.Struct({ hook: Schema.String, seq: Schema.Int }),
    Result: Delivery,
    execute: ({ hook, seq }) => sql`SELECT ${columns} FROM deliveries WHERE hook = ${hook} AND seq = ${seq}`
  }))

  const count = Statement.findAll(() => ({
    Request: Timestamp,
    Result: Schema.Struct({
      hook: Schema.String,
      state: DeliveryState,
      count: Schema.Int,
      nextAt: Schema.NullOr(Timestamp)
    }),
    execute: (since) => sql`
      SELECT hook, state, count(*) AS "count", min(next_at) AS next_at FROM deliveries
      WHERE state IN ('due', 'sending', 'summed') OR (state = 'dead' AND ended_at > ${since})
      GROUP BY hook, state ORDER BY hook, state
    `
  }))

  /**
   * Given up by a clock that was ahead, for a hook that exists: no other is read. One that was refused then is sent once more: it
   * cannot be told from one that was too old.
   */
  const isWrongEnd = (now: number) =>
    sql`state = 'dead' AND ended_at > ${now} AND ended_at - first_at > ${nearlyOverMs} AND last <> ${forgotten}
      AND hook IN (SELECT hook FROM hook_cursors)`

  /** They are due again, and what was part of their messages goes with them. */
  const revive = (now: number) =>
    Effect.gen(function* () {
      const found = yield* direct(sql`SELECT number FROM deliveries WHERE ${isWrongEnd(now)} LIMIT 1`).pipe(
        access.read("deliveries.putRight")
      )
      if (found.length === 0) return
      yield* Effect.zipRight(
        sql`
          UPDATE deliveries SET state = 'summed', ended_at = NULL
          WHERE state = 'dead' AND lead IS NOT NULL AND EXISTS (
            SELECT 1 FROM (SELECT hook, seq FROM deliveries WHERE ${isWrongEnd(now)}) ended
            WHERE ended.hook = deliveries.hook AND ended.seq = deliveries.lead
          )
        `,
        sql`
          UPDATE deliveries SET state = 'due', next_at = ${now}, set_at = ${now}, first_at = min(first_at, ${now}), ended_at = NULL
          WHERE ${isWrongEnd(now)}
        `
      ).pipe(access.write("deliveries.putRight"))
    })

  return Deliveries.of({
    decide: decisions.decide,

    known: decisions.cursors().pipe(
      Effect.map((cursors) => cursors.map(({ hook }) => hook)),
      access.read("deliveries.known"),
      Effect.withSpan("Deliveries.known")
    ),

    forget: Effect.fn("Deliveries.forget")((hook) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* sql`DELETE FROM hook_cursors WHERE hook = ${hook}`
        yield* sql`
          UPDATE deliveries SET state = 'dead', next_at = NULL, sender = NULL, last = ${forgotten}, ended_at = ${now}
          WHERE hook = ${hook} AND state IN ('due', 'sending', 'summed')
        `
      }).pipe(access.write("deliveries.forget"))
    ),

    claim: Effect.fn("Deliveries.claim")(function* (hooks, sender) {
      if (hooks.length === 0) return Option.none()
      return yield* Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const taken = yield* take({ hooks: hooks.map(({ name }) => name), sender, now })
        if (Option.isNone(taken) || taken.value.attempts > 1) return taken
        const hook = hooks.find(({ name }) => name === taken.value.hook)
        return hook?.sumMs === undefined ? taken : Option.some(yield* sum(taken.value, hook.kind, now))
      }).pipe(access.write("deliveries.claim"))
    }),

    complete: Effect.fn("Deliveries.complete")(({ hook, seq }, sender, body) =>
      direct(sql`
        UPDATE deliveries SET body = ${body}
        WHERE hook = ${hook} AND seq = ${seq} AND state = 'sending' AND sender = ${sender} RETURNING seq
      `).pipe(
        Effect.map(({ length }) => length > 0),
        access.write("deliveries.complete")
      )
    ),

    settle: Effect.fn("Deliveries.settle")(({ hook, seq }, sender, after) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const nextAt = after.state === "due" ? after.nextAt : null
        const endedAt = after.state === "due" ? null : now
        const settled = yield* direct(sql`
          UPDATE deliveries SET state = ${after.state}, next_at = ${nextAt}, set_at = ${now}, last = ${after.last},
            ended_at = ${endedAt}, sender = NULL
          WHERE hook = ${hook} AND seq = ${seq} AND state = 'sending' AND sender = ${sender} RETURNING seq
        `)
        if (settled.length > 0 && after.state !== "due") {
          yield* sql`
            UPDATE deliveries SET state = ${after.state}, last = ${after.last}, ended_at = ${endedAt}
            WHERE hook = ${hook} AND lead = ${seq} AND state = 'summed'
          `
        }
        return settled.length > 0
      }).pipe(access.write("deliveries.settle"))
    ),

    taken: findTaken().pipe(access.read("deliveries.taken"), Effect.withSpan("Deliveries.taken")),

    release: Effect.fn("Deliveries.release")(({ hook, sender, seq }) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const over = sql`(${now} - first_at > ${patienceMs})`
        const released = yield* direct(sql`
          UPDATE deliveries SET state = CASE WHEN ${over} THEN 'dead' ELSE 'due' END,
            next_at = CASE WHEN ${over} THEN NULL ELSE ${now} END, set_at = ${now},
            ended_at = CASE WHEN ${over} THEN ${now} ELSE NULL END, last = ${lostTry}, sender = NULL
          WHERE hook = ${hook} AND seq = ${seq} AND state = 'sending' AND sender = ${sender} RETURNING seq
        `)
        if (released.length === 0) return false
        // They are part of its message, and end with it.
        yield* sql`
          UPDATE deliveries SET state = 'dead', last = ${lostTry}, ended_at = ${now}
          WHERE hook = ${hook} AND lead = ${seq} AND state = 'summed'
            AND (SELECT state FROM deliveries lead WHERE lead.hook = ${hook} AND lead.seq = ${seq}) = 'dead'
        `
        return true
      }).pipe(access.write("deliveries.release"))
    ),

    putRight: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* revive(now)
      const wrong = yield* direct(
        sql`SELECT number FROM deliveries WHERE state = 'due' AND set_at > ${now} LIMIT 1`
      ).pipe(access.read("deliveries.putRight"))
      // Almost always: a worker that starts takes no lock for it.
      if (wrong.length === 0) return
      yield* sql`
        UPDATE deliveries SET next_at = ${now} + next_at - set_at, first_at = min(first_at, ${now}), set_at = ${now}
        WHERE state = 'due' AND set_at > ${now}
      `.pipe(access.write("deliveries.putRight"))
    }).pipe(Effect.withSpan("Deliveries.putRight")),

    nextDue: Effect.fn("Deliveries.nextDue")(function* (hooks) {
      if (hooks.length === 0) return Option.none()
      const found = yield* findNext(hooks).pipe(access.read("deliveries.nextDue"))
      return Option.map(found, ({ nextAt }) => nextAt)
    }),

    list: Effect.fn("Deliveries.list")((options) => findSome(options).pipe(access.read("deliveries.list"))),

    redeliver: Effect.fn("Deliveries.redeliver")(function* (hook, seq) {
      const traces = yield* tracesFor([hook])
      return yield* Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const key = { hook: hook.name, seq }
        if (Option.isNone(yield* findOne(key))) {
          const [notice] = yield* decisions.notices({ after: seq - 1, limit: 1 })
          if (notice === undefined || notice.seq !== seq) return Option.none()
          yield* decisions.save(hook, notice, now, traces)
        }
        yield* sql`
          UPDATE deliveries SET state = 'due', attempts = 0, first_at = NULL, next_at = ${now}, set_at = ${now}, lead = NULL,
            ended_at = NULL
          WHERE hook = ${key.hook} AND seq = ${seq} AND state IN ('due', 'done', 'dead')
        `
        return yield* findOne(key)
      }).pipe(access.write("deliveries.redeliver"))
    }),

    counts: Effect.fn("Deliveries.counts")((since) => count(since).pipe(access.read("deliveries.counts")))
  })
})

export const layer = Layer.effect(Deliveries, make)
