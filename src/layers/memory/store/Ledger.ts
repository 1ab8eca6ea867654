/** The ledger over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type Dimension,
  mostRows,
  type UsageQuery,
  type UsageRow,
  type UsageSums
} from "../../../domain/usage/UsageReport.ts"
import { Ledger } from "../../../services/Ledger.ts"
import { type LedgerEntry, Store } from "./Store.ts"

const groupedBy = ({ at, model, task }: LedgerEntry, dimension: Dimension, { days }: UsageQuery): string => {
  switch (dimension) {
    case "day":
      return days.find(({ from, to }) => at >= from && at < to)?.name ?? ""
    case "agent":
      return task.agent
    case "model":
      return model
    case "account":
      return task.account ?? ""
    case "directory":
      return task.directory
    case "pipeline":
      return task.pipelineId ?? ""
    default:
      return task.labels[dimension.slice("label:".length)] ?? ""
  }
}

const sumsOf = (entries: ReadonlyArray<LedgerEntry>): UsageSums => {
  const sum = (pick: (entry: LedgerEntry) => number) => entries.reduce((total, entry) => total + pick(entry), 0)
  const runs = (of: ReadonlyArray<LedgerEntry>) => new Set(of.map(({ claimId }) => claimId)).size
  return {
    tasks: new Set(entries.map(({ task }) => task.id)).size,
    runs: runs(entries),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
    cacheWriteTokens: sum(({ cacheWriteTokens }) => cacheWriteTokens),
    costUsd: sum(({ costMicro }) => costMicro ?? 0) / 1_000_000,
    estimatedUsd: sum(({ costBy, costMicro }) => (costBy === "estimated" ? (costMicro ?? 0) : 0)) / 1_000_000,
    unpriced: runs(entries.filter(({ costBy }) => costBy === "unpriced")),
    unreported: runs(entries.filter(({ costBy }) => costBy === "unreported")),
    parkedMs: sum(({ parkedMs }) => parkedMs)
  }
}

const rowsOf = (entries: ReadonlyArray<LedgerEntry>, query: UsageQuery): ReadonlyArray<UsageRow> => {
  const groups = new Map<string, Array<LedgerEntry>>()
  for (const entry of entries) {
    const key = JSON.stringify(query.by.map((dimension) => groupedBy(entry, dimension, query)))
    groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  const day = query.by.indexOf("day")
  const tokens = (row: UsageRow) => row.inputTokens + row.outputTokens + row.cacheReadTokens
  const rows = Array.from(groups.values(), (group): UsageRow => {
    const [first] = group
    const names = first === undefined ? [] : query.by.map((dimension) => groupedBy(first, dimension, query))
    return { group: names, ...sumsOf(group) }
  })
  return rows
    .sort((one, other) => {
      const days = day === -1 ? 0 : (one.group[day] ?? "").localeCompare(other.group[day] ?? "")
      return days || other.costUsd - one.costUsd || tokens(other) - tokens(one)
    })
    .slice(0, mostRows)
}

export const layer = Layer.effect(
  Ledger,
  Effect.map(Store, (store) =>
    Ledger.of({
      report: (query) =>
        store.read(({ ledger }) => {
          const entries = ledger.filter(({ at }) => at >= query.from && at < query.to)
          return { rows: query.by.length === 0 ? [] : rowsOf(entries, query), total: sumsOf(entries) }
        })
    })
  )
)
