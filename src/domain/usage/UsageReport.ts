/** Sums over what agents used: by which dimensions they are grouped, and one row of them. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { TokenCounts } from "./TokenCounts.ts"

export const plainDimensions = ["day", "agent", "model", "account", "directory", "pipeline"] as const

/** `label:KEY` groups by the value of that label. */
export const Dimension = Schema.Union(
  Schema.Literal(...plainDimensions),
  Schema.TemplateLiteral("label:", Schema.String)
).annotations({ identifier: "UsageDimension" })
export type Dimension = typeof Dimension.Type

/** More dimensions at a time are of no use to a reader. */
export const mostDimensions = 3

/** Rows of one report. */
export const mostRows = 1000

/** Days of one report by day. */
export const mostDays = 400

const Count = Schema.Int.pipe(Schema.nonNegative())

export const UsageSums = Schema.Struct({
  ...TokenCounts.fields,
  tasks: Count,
  /** Runs of agents. A task has one for each attempt and for each time that it was parked. */
  runs: Count,
  /** US dollars: what agents reported, and list prices for the rest. */
  costUsd: Schema.Number,
  /** The part of it that was computed from list prices. */
  estimatedUsd: Schema.Number,
  /** Runs with tokens of a model whose price is not known: their cost is missing. */
  unpriced: Count,
  /** Runs whose agent reported no numbers. */
  unreported: Count,
  /** For how long tasks waited for usage limits, in milliseconds. */
  parkedMs: Count
})
export type UsageSums = typeof UsageSums.Type

export const UsageRow = Schema.Struct({
  /** The values of the dimensions, in their order; empty where there is none. */
  group: Schema.Array(Schema.String),
  ...UsageSums.fields
}).annotations({ identifier: "UsageRow" })
export type UsageRow = typeof UsageRow.Type

/** A day in the zone of the reader. */
export interface Day {
  /** `2027-03-01` */
  readonly name: string
  readonly from: number
  readonly to: number
}

export interface UsageQuery {
  readonly from: number
  readonly to: number
  readonly by: ReadonlyArray<Dimension>
  /** The days between `from` and `to`, where `by` has `day`. */
  readonly days: ReadonlyArray<Day>
}

/** What `beat usage --json` prints. */
export const UsageView = Schema.Struct({
  from: Timestamp,
  to: Timestamp,
  by: Schema.Array(Dimension),
  rows: Schema.Array(UsageRow),
  /** Over all rows, also those that are left out. */
  total: UsageSums,
  /** There are more rows than are shown. */
  cut: Schema.Boolean
}).annotations({ identifier: "UsageView" })
export type UsageView = typeof UsageView.Type
