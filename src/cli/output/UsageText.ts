/** Tokens and money in words, for people. */
import type { Dimension, UsageRow, UsageSums } from "../../domain/usage/UsageReport.ts"
import { dollarWords, tokenWords } from "../../text/amountWords.ts"
import { span } from "../../text/FormatDuration.ts"
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { plain } from "./TaskTable.ts"

/** `$3.07`, `$0.0042`; `~` means that list prices are part of the amount. */
const moneyWords = (usd: number, estimated: boolean): string => `${estimated ? "~" : ""}${dollarWords(usd)}`

const costOf = ({ costUsd, estimatedUsd, runs, unpriced, unreported }: UsageSums): string =>
  costUsd === 0 && runs > 0 && unpriced + unreported === runs ? "?" : moneyWords(costUsd, estimatedUsd > 0)

const shownValue = (dimension: Dimension, value: string): string => {
  if (dimension === "account") return value === "" ? "none" : value.slice(value.lastIndexOf("/") + 1)
  if (dimension === "model") return value === "" ? "not told" : plain(value)
  return value === "" ? "none" : plain(value)
}

const runsWords = (count: number) => (count === 1 ? "1 run" : `${count} runs`)

const notes = ({ estimatedUsd, unpriced, unreported }: UsageSums): ReadonlyArray<string> => [
  ...(estimatedUsd > 0 ? ["~ includes costs that are computed from list prices. A plan is not billed by them."] : []),
  ...(unpriced > 0
    ? [
        `The cost of ${runsWords(unpriced)} is missing: the price of the model is not known. Set it: beat config set prices.MODEL '{"input":5,"output":25}'`
      ]
    : []),
  ...(unreported > 0 ? [`${runsWords(unreported)} ended without numbers from the agent.`] : [])
]

/** The report as a table with its total, and notes about the numbers. */
export const usageTable = (
  by: ReadonlyArray<Dimension>,
  rows: ReadonlyArray<UsageRow>,
  total: UsageSums,
  screen: Screen
): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  const columns: ReadonlyArray<Column> = [
    ...by.map((dimension) => ({ title: dimension.toUpperCase(), shrinkTo: 10 })),
    { title: "TASKS", align: "right", dropAt: 3 },
    { title: "RUNS", align: "right", dropAt: 1 },
    { title: "IN", align: "right" },
    { title: "OUT", align: "right" },
    { title: "CACHED", align: "right", dropAt: 2 },
    { title: "COST", align: "right" },
    { title: "PARKED", align: "right", dropAt: 0 }
  ]
  const cells = (sums: UsageSums) => [
    { text: String(sums.tasks) },
    { text: String(sums.runs) },
    { text: tokenWords(sums.inputTokens + sums.cacheWriteTokens) },
    { text: tokenWords(sums.outputTokens) },
    { text: tokenWords(sums.cacheReadTokens) },
    { text: costOf(sums), style: bold },
    { text: sums.parkedMs === 0 ? "-" : span(sums.parkedMs) }
  ]
  const lines = rows.map((row) => [
    ...by.map((dimension, at) => ({ text: shownValue(dimension, row.group[at] ?? "") })),
    ...cells(row)
  ])
  const sum = [...by.map((_dimension, at) => ({ text: at === 0 ? "total" : "", style: bold })), ...cells(total)]
  const said = notes(total)
  return [...table(columns, [...lines, sum], screen.columns, dim), ...(said.length === 0 ? [] : ["", ...said])]
}

const quoted = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value)

const sums = [
  "tasks",
  "runs",
  "inputTokens",
  "outputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "costUsd",
  "estimatedUsd",
  "unpriced",
  "unreported",
  "parkedMs"
] as const

/** A line of names and a line for each row, as in RFC 4180, except for the line endings. */
export const usageCsv = (by: ReadonlyArray<Dimension>, rows: ReadonlyArray<UsageRow>): ReadonlyArray<string> => [
  [...by, ...sums].map(quoted).join(","),
  ...rows.map((row) => [...row.group.map(plain).map(quoted), ...sums.map((name) => String(row[name]))].join(","))
]
