/** Charges the cost of a run to its budgets, in the transaction that writes it into the ledger or stores what it printed. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { rolled } from "../../../domain/budgets/Period.ts"
import { type Cost, inMetric, marked, noCost } from "../../../domain/budgets/Spend.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { type LiveUse, mergedUses, PricedUse } from "../../../domain/usage/ModelUse.ts"
import * as Statement from "../database/Statement.ts"
import { makeReserves } from "./reserves.ts"
import { StandingRow, standingColumns } from "./StandingRow.ts"
import { makeSpentIn } from "./spentIn.ts"

const Lane = Schema.Struct({
  lane: Schema.Int,
  agent: Schema.String,
  family: Schema.String,
  reserveMicro: Schema.Int,
  reserveTokens: Schema.Int
})

/** Damaged data about what a claim has reported must not end its task. */
export const StoredUses = Schema.parseJson(Schema.Array(PricedUse)).annotations({
  decodingFallback: () => Effect.succeed([])
})

/** Must run inside a transaction. */
export const makeSettle = (sql: SqlClient.SqlClient) => {
  const reserves = makeReserves(sql)
  const spentIn = makeSpentIn(sql)

  /** None for the most tasks: they count against no budget. */
  const findLane = Statement.findOne(() => ({
    Request: TaskId,
    Result: Lane,
    execute: (id) => sql`
      SELECT lanes.id AS lane, lanes.agent, lanes.family, lanes.reserve_micro, lanes.reserve_tokens
      FROM tasks JOIN lanes ON lanes.id = tasks.lane WHERE tasks.id = ${id} AND lanes.budgets <> ''
    `
  }))

  const findStandings = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: StandingRow,
    execute: (lane) => sql`
      SELECT ${standingColumns(sql)} FROM lane_budgets JOIN budgets ON budgets.id = lane_budgets.budget
      WHERE lane_budgets.lane = ${lane}
    `
  }))

  const write = Statement.run(() => ({
    Request: StandingRow.pick("id", "from", "to", "spent", "warnedAt", "trippedAt"),
    execute: ({ id, ...row }) => sql`UPDATE budgets SET ${sql.update(row)} WHERE id = ${id}`
  }))

  const save = ({ from, id, spent, to, trippedAt, warnedAt }: StandingRow) =>
    write({ id, from, to, spent, warnedAt, trippedAt })

  /** `cost` is spent by now, next to what the claims that are left have used. */
  const take = (standing: StandingRow, cost: Cost, reserve: Cost, now: number) =>
    Effect.gen(function* () {
      const before = rolled(standing, now)
      const own = inMetric(standing.metric, cost)
      // The ledger has more of a new period where the clock was behind before, and set right.
      const spent = before === standing ? before.spent + own : Math.max(own, yield* spentIn(before, before))
      yield* save(marked({ ...before, spent }, inMetric(standing.metric, reserve), now))
    })

  const all = (lane: number, cost: Cost, reserve: Cost) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      for (const standing of yield* findStandings(lane)) yield* take(standing, cost, reserve, now)
    })

  const findUsed = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ used: StoredUses }),
    execute: (id) => sql`SELECT used FROM claims WHERE task_id = ${id}`
  }))

  const saveUsed = Statement.run(() => ({
    Request: Schema.Struct({ id: TaskId, used: StoredUses, micro: Schema.Int, tokens: Schema.Int }),
    execute: ({ id, micro, tokens, used }) => sql`
      UPDATE claims SET used = ${used}, used_micro = used_micro + ${micro}, used_tokens = used_tokens + ${tokens}
      WHERE task_id = ${id}
    `
  }))

  return {
    save,

    /** The claim of the run is gone, and the ledger has what it used. */
    ended: (id: TaskId, cost: Cost) =>
      Effect.gen(function* () {
        const found = yield* findLane(id)
        if (Option.isNone(found)) return
        yield* all(found.value.lane, cost, yield* reserves(found.value))
      }),

    /** What the agent of a task has used since its last report. */
    running: (id: TaskId, { cost, uses }: LiveUse) =>
      Effect.gen(function* () {
        const before = yield* findUsed(id)
        if (Option.isNone(before)) return
        yield* saveUsed({
          id,
          used: mergedUses([...before.value.used, ...uses]),
          micro: cost.micro,
          tokens: cost.tokens
        })
        const found = yield* findLane(id)
        if (Option.isNone(found)) return
        const { lane, reserveMicro, reserveTokens } = found.value
        yield* all(lane, noCost, { micro: reserveMicro, tokens: reserveTokens })
      })
  }
}
