/** The lane of a task: found or made for its account, the family of its model, its agent, its group, its budgets, and whether it is spare. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Account, modelFamily } from "../../../domain/limits/Account.ts"
import { makeLaneBudgets } from "../budgets/laneBudgets.ts"
import * as Statement from "../database/Statement.ts"
import { storedFlag } from "../tasks/Rows.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { makeWindows } from "./windows.ts"

/** Empty where there is none. */
const LaneKey = Schema.Struct({
  account: Schema.String,
  family: Schema.String,
  agent: Schema.String,
  group: Schema.String,
  spare: storedFlag,
  budgets: Schema.String
})

/** What decides for which gates a task waits. */
interface LaneOf {
  readonly account: Account | null
  readonly model: string | null
  readonly agent: string
  readonly group: string | null
  readonly spare: boolean
  /** The budgets that it counts against: `keyOf` of `makeLaneBudgets`. */
  readonly budgets: string
}

const LaneRow = Schema.Struct({ id: Schema.Int })

/** Must run inside a transaction. */
export const makeLaneOf = (sql: SqlClient.SqlClient) => {
  const windows = makeWindows(sql)
  const laneBudgets = makeLaneBudgets(sql)

  const find = Statement.findOne(() => ({
    Request: LaneKey,
    Result: LaneRow,
    execute: ({ account, agent, budgets, family, group, spare }) => sql`
      SELECT id FROM lanes
      WHERE account = ${account} AND family = ${family} AND agent = ${agent} AND "group" = ${group}
        AND spare = ${spare} AND budgets = ${budgets}
    `
  }))

  const insert = Statement.single(() => ({
    Request: Schema.Struct({ ...LaneKey.fields, gate: Schema.String }),
    Result: LaneRow,
    execute: (row) => sql`INSERT INTO lanes ${sql.insert(row)} RETURNING id`
  }))

  return ({ account, agent, budgets, group, model, spare }: LaneOf) =>
    Effect.gen(function* () {
      const key = {
        account: account?.key ?? "",
        family: account === null ? "" : modelFamily(account.key, model),
        agent,
        group: group ?? "",
        // Without an account there is no room that could go unused.
        spare: spare && account !== null,
        budgets
      }
      const found = yield* find(key)
      if (Option.isSome(found)) return found.value.id
      if (account === null) {
        const lane = yield* insert({ ...key, gate: "" }).pipe(orDieWhenMissing)
        yield* laneBudgets.enter(lane.id, budgets, key)
        return lane.id
      }
      const now = yield* Clock.currentTimeMillis
      yield* sql`
        INSERT INTO accounts (key, agent, seen_at) VALUES (${account.key}, ${account.agent}, ${now})
        ON CONFLICT (key) DO UPDATE SET seen_at = excluded.seen_at
      `
      const gate = yield* windows.gateOf(account.key)
      const { id } = yield* insert({ ...key, gate }).pipe(orDieWhenMissing)
      yield* laneBudgets.enter(id, budgets, key)
      // The account may be closed already.
      yield* windows.reopen(gate)
      return id
    })
}
