/** The ledger on SQLite: sums over an index by time. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type Dimension, mostRows, type UsageQuery, UsageRow, UsageSums } from "../../../domain/usage/UsageReport.ts"
import { Ledger } from "../../../services/Ledger.ts"
import { Paths } from "../../../services/Paths.ts"
import { direct } from "../database/direct.ts"
import { makeAccess } from "../database/Immediate.ts"

const readRows = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ ...UsageRow.fields, group: Schema.parseJson(UsageRow.fields.group) }))
)
const readTotal = Schema.decodeUnknown(Schema.Tuple(UsageSums))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

  const groupedBy = (dimension: Dimension) => {
    switch (dimension) {
      case "day":
        return sql`days.value ->> 'name'`
      case "agent":
        return sql`agent`
      case "model":
        return sql`model`
      case "account":
        return sql`coalesce(account, '')`
      case "directory":
        return sql`directory`
      case "pipeline":
        return sql`coalesce(pipeline_id, '')`
      default:
        return sql`coalesce(labels ->> ${dimension.slice("label:".length)}, '')`
    }
  }

  const sums = sql`
    count(DISTINCT task_id) AS tasks, count(DISTINCT claim_id) AS runs,
    coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
    coalesce(sum(cache_read_tokens), 0) AS cache_read_tokens, coalesce(sum(cache_write_tokens), 0) AS cache_write_tokens,
    coalesce(sum(cost_micro), 0) / 1000000.0 AS cost_usd,
    coalesce(sum(CASE WHEN cost_by = 'estimated' THEN cost_micro END), 0) / 1000000.0 AS estimated_usd,
    count(DISTINCT CASE WHEN cost_by = 'unpriced' THEN claim_id END) AS unpriced,
    count(DISTINCT CASE WHEN cost_by = 'unreported' THEN claim_id END) AS unreported,
    coalesce(sum(parked_ms), 0) AS parked_ms
  `

  /** Without a day the one span is the whole time. */
  const spansOf = ({ by, days, from, to }: UsageQuery) =>
    JSON.stringify(by.includes("day") ? days : [{ name: "", from, to }])

  // A day is a range of the index: days have other lengths where the clock is changed.
  const findRows = (query: UsageQuery) => {
    const [first = sql`''`, ...rest] = query.by.map(groupedBy)
    const group = rest.reduce((all, value) => sql`${all}, ${value}`, first)
    return sql`
      SELECT json_array(${group}) AS "group", ${sums}
      FROM json_each(${spansOf(query)}) AS days
      CROSS JOIN ledger ON at >= days.value ->> 'from' AND at < days.value ->> 'to'
      GROUP BY 1
      ORDER BY min(days.key), coalesce(sum(cost_micro), 0) DESC, sum(input_tokens + output_tokens + cache_read_tokens) DESC, 1
      LIMIT ${mostRows}
    `
  }

  const findTotal = ({ from, to }: UsageQuery) => sql`SELECT ${sums} FROM ledger WHERE at >= ${from} AND at < ${to}`

  return Ledger.of({
    report: Effect.fn("Ledger.report")((query) =>
      Effect.gen(function* () {
        const [total] = yield* Effect.flatMap(direct(findTotal(query)), readTotal)
        const rows = query.by.length === 0 ? [] : yield* Effect.flatMap(direct(findRows(query)), readRows)
        return { rows, total }
      }).pipe(access.read("report"))
    )
  })
})

export const layer = Layer.effect(Ledger, make)
