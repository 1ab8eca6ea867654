/** The limits of accounts on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AccountKey } from "../../../domain/limits/Account.ts"
import type { AccountLimits } from "../../../domain/limits/AccountLimits.ts"
import { allOpen, asked, closedByHand, opening } from "../../../domain/limits/Limit.ts"
import { noBound, oneProbe, placesNow } from "../../../domain/limits/Places.ts"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import type { Window } from "../../../domain/limits/Window.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import { Limits } from "../../../services/Limits.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { IdRow } from "../tasks/TaskRows.ts"
import { makeGivesUp } from "./givesUp.ts"
import { makeWindows } from "./windows.ts"

const most = 200
const bound = 1000

const AccountRow = Schema.Struct({
  key: AccountKey,
  agent: Schema.String,
  joinedTo: Schema.NullOr(AccountKey),
  places: Schema.NullOr(Schema.Int),
  placesAt: Timestamp,
  opensAt: Schema.Int,
  window: Schema.NullOr(Schema.String),
  running: Schema.Int,
  waiting: Schema.Int
})

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const windows = makeWindows(sql)

  /** The queued tasks of a lane that nothing but its limit holds back. */
  const queued = sql`
    FROM tasks INDEXED BY tasks_ready
    WHERE lane = lanes.id AND status = 'queued' AND waiting_on = 0 AND asks = 0 AND cancel_requested_at IS NULL
  `

  const findAccounts = Statement.findAll(() => ({
    Request: Timestamp,
    Result: AccountRow,
    execute: (now) => sql`
      SELECT accounts.key, accounts.agent, accounts.joined_to, gate.places, gate.places_at,
        coalesce((SELECT max(opens_at) FROM lanes WHERE account = accounts.key AND spare = 0), 0) AS opens_at,
        (SELECT "window" FROM lanes WHERE account = accounts.key AND spare = 0 ORDER BY opens_at DESC LIMIT 1) AS "window",
        (SELECT count(*) FROM claims WHERE claims.account = accounts.key) AS running,
        coalesce((
          SELECT sum((SELECT count(*) FROM (SELECT 1 ${queued} LIMIT ${bound}))) FROM lanes
          WHERE account = accounts.key AND opens_at > ${now} AND spare = 0
        ), 0) AS waiting
      FROM accounts JOIN accounts AS gate ON gate.key = coalesce(accounts.joined_to, accounts.key)
      ORDER BY accounts.agent, accounts.key LIMIT ${most}
    `
  }))

  const findNext = Statement.findOne(() => ({
    Request: AccountKey,
    Result: IdRow,
    execute: (account) => sql`
      SELECT first.id FROM lanes
      CROSS JOIN tasks AS first ON first.seq = (SELECT seq ${queued} ORDER BY priority, seq LIMIT 1)
      WHERE lanes.account = ${account} AND lanes.spare = 0 ORDER BY first.priority, first.seq LIMIT 1
    `
  }))

  const findSpare = Statement.findAll(() => ({
    Request: AccountKey,
    Result: Schema.Struct({ family: Schema.String, waiting: Schema.Int }),
    execute: (account) => sql`
      SELECT family, sum((SELECT count(*) FROM (SELECT 1 ${queued} LIMIT ${bound}))) AS waiting
      FROM lanes WHERE account = ${account} AND spare = 1 GROUP BY family HAVING waiting > 0
    `
  }))

  /** The spare tasks of an account that may not start now. */
  const spareOf = (account: AccountKey, known: ReadonlyArray<Window>, now: number) =>
    Effect.map(findSpare(account), (rows): AccountLimits["spare"] => {
      const waits = rows.flatMap(({ family, waiting }) => {
        const { opensAt, window } = spareOpening(known, family, now)
        return window === null ? [] : [{ opensAt, waiting, window }]
      })
      const [first] = waits.sort((one, other) => one.opensAt - other.opensAt)
      const waiting = waits.reduce((sum, one) => sum + one.waiting, 0)
      return first === undefined ? null : { ...first, waiting: Math.min(bound, waiting) }
    })

  const findShut = Statement.findAll(() => ({
    Request: Timestamp,
    Result: Schema.Struct({ gate: AccountKey }),
    execute: (now) => sql`SELECT DISTINCT gate FROM lanes WHERE shuts_at <= ${now} LIMIT ${most}`
  }))

  // In the order of both keys, so that nothing is sorted.
  const findBeyond = Statement.findAll(() => ({
    Request: Schema.Struct({ until: Timestamp, limit: Schema.Int, lane: Schema.Int, seq: Schema.Int }),
    Result: Schema.Struct({ ...IdRow.fields, lane: Schema.Int, seq: Schema.Int }),
    execute: ({ lane, limit, seq, until }) => sql`
      SELECT tasks.id, tasks.lane, tasks.seq
      FROM lanes NOT INDEXED CROSS JOIN tasks INDEXED BY tasks_fallback ON tasks.lane = lanes.id
      WHERE lanes.id >= ${lane} AND lanes.opens_at > ${until}
        AND tasks.seq > CASE WHEN lanes.id = ${lane} THEN ${seq} ELSE 0 END
        AND tasks.status = 'queued' AND tasks.waiting_on = 0 AND tasks.asks = 0 AND tasks.fallback <> '[]'
        AND tasks.cancel_requested_at IS NULL
      ORDER BY lanes.id, tasks.seq LIMIT ${limit}
    `
  }))

  const limitsOf = ({ key, opensAt, placesAt, ...row }: typeof AccountRow.Type, now: number) =>
    Effect.gen(function* () {
      const closed = opensAt > now
      const places = placesNow({ count: row.places, at: placesAt }, now)
      const next = row.waiting > 0 ? yield* findNext(key) : Option.none()
      const { joinedTo } = row
      const known = yield* windows.find(joinedTo ?? key)
      const limits: AccountLimits = {
        account: key,
        agent: row.agent,
        joinedTo,
        opensAt: closed ? opensAt : null,
        window: closed ? row.window : null,
        places: Number.isFinite(places) ? places : null,
        running: row.running,
        waiting: Math.min(bound, row.waiting),
        next: Option.getOrNull(Option.map(next, ({ id }) => id)),
        spare: yield* spareOf(key, known, now),
        windows: known
      }
      return limits
    })

  /** The lanes of an account wait at another gate from now on. */
  const gate = (account: AccountKey, to: AccountKey) =>
    Effect.gen(function* () {
      yield* sql`UPDATE lanes SET gate = ${to}, opens_at = 0, shuts_at = NULL, "window" = NULL WHERE account = ${account}`
      yield* windows.reopen(to)
    })

  return Limits.of({
    list: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const rows = yield* findAccounts(now)
      return yield* Effect.forEach(rows, (row) => limitsOf(row, now))
    }).pipe(access.read("list"), Effect.withSpan("Limits.list")),

    waitingBeyond: Effect.fn("Limits.waitingBeyond")((until, limit, after) =>
      findBeyond({ until, limit, ...(after ?? { lane: 0, seq: 0 }) }).pipe(access.read("waitingBeyond"))
    ),

    overdue: makeGivesUp(sql, access).pipe(Effect.withSpan("Limits.overdue")),

    renewSpare: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const shut = yield* findShut(now).pipe(access.read("renewSpare"))
      if (shut.length === 0) return
      yield* Effect.gen(function* () {
        for (const { gate } of yield* findShut(now)) yield* windows.reopen(gate, yield* windows.find(gate))
      }).pipe(access.write("renewSpare"))
    }).pipe(Effect.withSpan("Limits.renewSpare")),

    observe: Effect.fn("Limits.observe")((account, signals) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const key = yield* windows.gateOf(account)
        const before = yield* windows.find(key)
        yield* windows.replace(key, before, asked(before, key, signals, now))
      }).pipe(access.write("observe"))
    ),

    close: Effect.fn("Limits.close")((account, until, reason) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const key = yield* windows.gateOf(account)
        const before = yield* windows.find(key)
        const window = closedByHand(key, until, reason, now)
        yield* windows.replace(key, before, [...before.filter(({ name }) => name !== window.name), window])
      }).pipe(access.write("close"))
    ),

    open: Effect.fn("Limits.open")((account) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const key = yield* windows.gateOf(account)
        const before = yield* windows.find(key)
        yield* windows.replace(key, before, allOpen(before, now))
        if (opening(before, "", now).opensAt > 0) yield* windows.savePlaces(key, oneProbe(now))
      }).pipe(access.write("open"))
    ),

    join: Effect.fn("Limits.join")((account, to) =>
      Effect.gen(function* () {
        const key = yield* windows.gateOf(to)
        if (key === account) return
        // What was joined to it follows, so that no row leads to another that leads on.
        yield* sql`UPDATE accounts SET joined_to = ${key} WHERE key = ${account} OR joined_to = ${account}`
        yield* sql`UPDATE lanes SET gate = ${key} WHERE gate = ${account}`
        yield* sql`UPDATE claims SET account = ${key} WHERE account = ${account}`
        yield* gate(account, key)
      }).pipe(access.write("join"))
    ),

    split: Effect.fn("Limits.split")((account) =>
      Effect.gen(function* () {
        yield* sql`UPDATE accounts SET joined_to = NULL WHERE key = ${account}`
        yield* windows.savePlaces(account, noBound)
        yield* gate(account, account)
      }).pipe(access.write("split"))
    )
  })
})

export const layer = Layer.effect(Limits, make)
