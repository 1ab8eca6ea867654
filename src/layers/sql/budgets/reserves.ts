/** What is reserved for a task of a lane: what the last runs of its agent and family of models cost. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { likeRuns, reserveFor } from "../../../domain/budgets/Spend.ts"
import * as Statement from "../database/Statement.ts"

interface Kind {
  readonly agent: string
  readonly family: string
}

/** A run has a row for each of its models. */
const rowsOfARun = 3

/** Must run inside a transaction. */
export const makeReserves = (sql: SqlClient.SqlClient) => {
  const findRuns = Statement.findAll(() => ({
    Request: Schema.Struct({ agent: Schema.String, family: Schema.String }),
    Result: Schema.Struct({ micro: Schema.NullOr(Schema.Int), tokens: Schema.Int }),
    execute: ({ agent, family }) => sql`
      SELECT sum(cost_micro) AS micro, sum(input_tokens + output_tokens + cache_write_tokens) AS tokens
      FROM (
        SELECT seq, claim_id, cost_micro, input_tokens, output_tokens, cache_write_tokens FROM ledger
        WHERE agent = ${agent} AND family = ${family} ORDER BY seq DESC LIMIT ${likeRuns * rowsOfARun}
      )
      GROUP BY claim_id ORDER BY max(seq) DESC LIMIT ${likeRuns}
    `
  }))

  /** For the lanes of one kind that have a budget. */
  return ({ agent, family }: Kind) =>
    Effect.gen(function* () {
      const reserve = reserveFor(yield* findRuns({ agent, family }))
      yield* sql`
        UPDATE lanes SET reserve_micro = ${reserve.micro}, reserve_tokens = ${reserve.tokens}
        WHERE agent = ${agent} AND family = ${family} AND budgets <> '' AND substr(budgets, 1, 1) <> '+'
      `
      return reserve
    })
}
