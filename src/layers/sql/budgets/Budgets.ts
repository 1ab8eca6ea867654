/** Budgets on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Budget, BudgetHold, BudgetName, mostBudgets } from "../../../domain/budgets/Budget.ts"
import { TooManyBudgets } from "../../../domain/budgets/BudgetErrors.ts"
import { periodAt, rolled } from "../../../domain/budgets/Period.ts"
import { hasRoom, remarked } from "../../../domain/budgets/Spend.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { Budgets } from "../../../services/Budgets.ts"
import { Paths } from "../../../services/Paths.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { IdRow, orDieWhenMissing } from "../tasks/TaskRows.ts"
import { makeLaneBudgets } from "./laneBudgets.ts"
import { reserveColumn, StandingRow, standingColumns } from "./StandingRow.ts"
import { makeSettle } from "./settle.ts"
import { makeSpentIn } from "./spentIn.ts"

const most = 200
const mostHolding = 20

const HoldRow = Schema.Struct({ ...StandingRow.fields, reserve: BudgetHold.fields.reserve })

const opensLast = (holds: ReadonlyArray<BudgetHold>): BudgetHold | undefined => {
  const end = ({ budget }: BudgetHold) => budget.to ?? Number.POSITIVE_INFINITY
  return [...holds].sort((one, other) => end(other) - end(one))[0]
}

const withoutId = ({ id: _id, ...standing }: typeof StandingRow.Type) => standing

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const laneBudgets = makeLaneBudgets(sql)
  const settle = makeSettle(sql)
  const spentIn = makeSpentIn(sql)
  const columns = standingColumns(sql)

  const findByName = Statement.findOne(() => ({
    Request: BudgetName,
    Result: StandingRow,
    execute: (name) => sql`SELECT ${columns} FROM budgets WHERE name = ${name}`
  }))

  const findAll = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: StandingRow,
    execute: () => sql`
      SELECT ${columns} FROM budgets
      WHERE name <> value OR EXISTS (
        SELECT 1 FROM tasks WHERE (tasks.id = value OR tasks.root_id = value) AND ended_at IS NULL
      )
      ORDER BY name = value, name LIMIT ${most}
    `
  }))

  const reserve = reserveColumn(sql)

  // Lanes without a queued task hold nothing up. The index has those that could start but for what is looked at here.
  const findWaiting = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: HoldRow,
    execute: () => sql`
      SELECT ${columns}, ${reserve} FROM budgets JOIN lane_budgets ON lane_budgets.budget = budgets.id
      JOIN lanes ON lanes.id = lane_budgets.lane
      WHERE EXISTS (
        SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE lane = lanes.id AND status = 'queued' AND waiting_on = 0 AND asks = 0
      )
      ORDER BY budgets.name, reserve LIMIT 1000
    `
  }))

  const findOfTask = Statement.findAll(() => ({
    Request: TaskId,
    Result: HoldRow,
    execute: (id) => sql`
      SELECT ${columns}, ${reserve} FROM tasks JOIN lanes ON lanes.id = tasks.lane
      JOIN lane_budgets ON lane_budgets.lane = lanes.id JOIN budgets ON budgets.id = lane_budgets.budget
      WHERE tasks.id = ${id} AND tasks.status = 'queued'
    `
  }))

  // By lane: as many rows as there are budgets in them, whatever the number of tasks.
  const findOfLanes = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(TaskId)),
    Result: Schema.Struct({ lane: Schema.Int, ...HoldRow.fields }),
    execute: (ids) => sql`
      SELECT lanes.id AS lane, ${columns}, ${reserve} FROM lanes JOIN lane_budgets ON lane_budgets.lane = lanes.id
      JOIN budgets ON budgets.id = lane_budgets.budget
      WHERE lanes.id IN (SELECT lane FROM tasks WHERE id IN (SELECT value FROM json_each(${ids})) AND status = 'queued')
    `
  }))

  const findLanesOf = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(TaskId)),
    Result: Schema.Struct({ id: TaskId, lane: Schema.Int }),
    execute: (ids) => sql`
      SELECT id, lane FROM tasks WHERE id IN (SELECT value FROM json_each(${ids})) AND status = 'queued'
    `
  }))

  const held = (rows: ReadonlyArray<typeof HoldRow.Type>) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      rows.flatMap(({ reserve, ...row }): ReadonlyArray<BudgetHold> => {
        const budget = rolled(withoutId(row), now)
        return hasRoom(budget, reserve) ? [] : [{ budget, reserve }]
      })
    )

  const insert = Statement.single(() => ({
    Request: Schema.Struct({ ...Budget.fields, ...StandingRow.pick("from", "to", "spent").fields }),
    Result: Schema.Struct({ id: Schema.Int }),
    execute: (row) => sql`INSERT INTO budgets ${sql.insert(row)} RETURNING id`
  }))

  const update = Statement.run(() => ({
    Request: Schema.Struct({ ...Budget.fields, ...StandingRow.pick("id", "from", "to", "spent").fields }),
    execute: ({ id, ...row }) => sql`UPDATE budgets SET ${sql.update(row)} WHERE id = ${id}`
  }))

  const isFull = direct(sql`SELECT 1 FROM budgets WHERE name <> value LIMIT 1 OFFSET ${mostBudgets - 1}`).pipe(
    Effect.map((rows) => rows.length > 0)
  )

  const findStopping = Statement.findAll(() => ({
    Request: Timestamp,
    Result: IdRow,
    execute: (now) => sql`
      SELECT DISTINCT claims.task_id AS id FROM (
        SELECT ${columns} FROM budgets WHERE action = 'stop'
      ) AS stops
      JOIN lane_budgets ON lane_budgets.budget = stops.id
      JOIN tasks ON tasks.lane = lane_budgets.lane AND tasks.status = 'running'
      JOIN claims ON claims.task_id = tasks.id
      WHERE CASE WHEN stops."to" <= ${now} THEN 0 ELSE stops.spent END + stops.used >= stops.amount
    `
  }))

  const isSame = (one: typeof Budget.Type, other: typeof Budget.Type) =>
    (["scope", "value", "period", "metric", "timezone"] as const).every((field) => one[field] === other[field])

  /** What was spent is counted again where another thing is counted from now on. */
  const countOf = (budget: typeof Budget.Type, before: Option.Option<StandingRow>, now: number) =>
    Effect.gen(function* () {
      if (Option.isSome(before) && isSame(before.value, budget)) {
        const { from, spent, to } = rolled(before.value, now)
        return { from, to, spent }
      }
      const period = periodAt(budget, now)
      return { ...period, spent: yield* spentIn(budget, period) }
    })

  const set = (budget: typeof Budget.Type) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = yield* findByName(budget.name)
      const row = { ...budget, ...(yield* countOf(budget, before, now)) }
      if (Option.isNone(before)) {
        if (yield* isFull) return yield* new TooManyBudgets({ name: budget.name })
        const { id } = yield* insert(row).pipe(orDieWhenMissing)
        yield* laneBudgets.join(id, budget)
      } else {
        const { id, scope, value } = before.value
        yield* update({ ...row, id })
        if (scope !== budget.scope || value !== budget.value) {
          yield* laneBudgets.leave(id)
          yield* laneBudgets.join(id, budget)
        }
      }
      const stored = yield* Effect.flatMap(findByName(budget.name), Effect.orDie)
      const after = remarked(stored, now)
      yield* settle.save(after)
      return withoutId(after)
    })

  return Budgets.of({
    set: Effect.fn("Budgets.set")((budget) => set(budget).pipe(access.writeWork("budgets.set"))),

    remove: Effect.fn("Budgets.remove")((name) =>
      Effect.gen(function* () {
        const found = yield* findByName(name)
        if (Option.isNone(found)) return false
        yield* laneBudgets.leave(found.value.id)
        yield* sql`DELETE FROM budgets WHERE id = ${found.value.id}`
        return true
      }).pipe(access.writeWork("budgets.remove"))
    ),

    find: Effect.fn("Budgets.find")((name) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        return Option.map(yield* findByName(name), (row) => rolled(withoutId(row), now))
      }).pipe(access.read("budgets.find"))
    ),

    list: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      return (yield* findAll()).map((row) => rolled(withoutId(row), now))
    }).pipe(access.read("budgets"), Effect.withSpan("Budgets.list")),

    holding: findWaiting().pipe(
      Effect.flatMap(held),
      Effect.map((found) =>
        found
          .filter((one, at) => found.findIndex(({ budget }) => budget.name === one.budget.name) === at)
          .slice(0, mostHolding)
      ),
      access.read("budgets.holding"),
      Effect.withSpan("Budgets.holding")
    ),

    holds: Effect.fn("Budgets.holds")((id) =>
      findOfTask(id).pipe(
        Effect.flatMap(held),
        Effect.map((found) => Option.fromNullable(opensLast(found))),
        access.read("budgets.holds")
      )
    ),

    holdsOf: Effect.fn("Budgets.holdsOf")((ids) =>
      Effect.gen(function* () {
        const rows = yield* findOfLanes(ids)
        if (rows.length === 0) return new Map<TaskId, BudgetHold>()
        const byLane = new Map<number, BudgetHold>()
        for (const lane of new Set(rows.map((row) => row.lane))) {
          const last = opensLast(yield* held(rows.flatMap(({ lane: own, ...row }) => (own === lane ? [row] : []))))
          if (last !== undefined) byLane.set(lane, last)
        }
        return new Map(
          (yield* findLanesOf(ids)).flatMap(({ id, lane }) => {
            const hold = byLane.get(lane)
            return hold === undefined ? [] : [[id, hold] as const]
          })
        )
      }).pipe(access.read("budgets.holdsOf"))
    ),

    stopping: Effect.flatMap(Clock.currentTimeMillis, (now) => findStopping(now)).pipe(
      Effect.map((rows) => rows.map(({ id }) => id)),
      access.read("budgets.stopping"),
      Effect.withSpan("Budgets.stopping")
    )
  })
})

export const layer = Layer.effect(Budgets, make)
