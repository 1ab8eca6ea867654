/**
 * What a monitoring system reads, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
 * No label holds a prompt, a path, a key or an id of a task.
 *
 * Weighed: `prom-client` 15.1.3. It keeps numbers in one process for as long as that lives; these are read from the record.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { fingerprintOf } from "../../domain/limits/Account.ts"
import { bucketSeconds, type Tally } from "../../domain/metrics/Tally.ts"
import { Deliveries } from "../../services/Deliveries.ts"
import { Ledger } from "../../services/Ledger.ts"
import { Limits } from "../../services/Limits.ts"
import { Metrics } from "../../services/Metrics.ts"
import { Questions } from "../../services/Questions.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

const dayMs = 24 * 60 * 60 * 1000

type Labels = Readonly<Record<string, string>>

/** Backslashes, quotes and line breaks are written as two characters. */
const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const sample = (name: string, labels: Labels, value: number): string => {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `backbeat_${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`
}

interface Family {
  readonly name: string
  readonly kind: "gauge" | "counter" | "histogram"
  readonly help: string
  readonly samples: ReadonlyArray<string>
}

const familyText = ({ help, kind, name, samples }: Family): ReadonlyArray<string> =>
  samples.length === 0 ? [] : [`# HELP backbeat_${name} ${help}`, `# TYPE backbeat_${name} ${kind}`, ...samples]

/** Sums by labels, in the order in which they come first. */
const summed = (name: string, tallies: ReadonlyArray<Tally>, labelsOf: (tally: Tally) => Labels) => {
  const sums = new Map<string, { readonly labels: Labels; count: number }>()
  for (const tally of tallies) {
    const labels = labelsOf(tally)
    const key = JSON.stringify(labels)
    const sum = sums.get(key) ?? { labels, count: 0 }
    sum.count += tally.count
    sums.set(key, sum)
  }
  return Array.from(sums.values(), ({ count, labels }) => sample(name, labels, count))
}

/** Each bucket counts what is in those before it too; the last one is all. */
const histogram = (name: string, tallies: ReadonlyArray<Tally>, field: "wait" | "run") => {
  const agents = Array.from(new Set(tallies.map(({ agent }) => agent))).sort()
  return agents.flatMap((agent) => {
    const own = tallies.filter((tally) => tally.agent === agent && tally[field] !== null)
    const upTo = (bucket: number) =>
      own.reduce((sum, tally) => sum + ((tally[field] ?? bucket + 1) <= bucket ? tally.count : 0), 0)
    const ms = own.reduce((sum, tally) => sum + (field === "wait" ? tally.waitMs : tally.runMs), 0)
    const all = upTo(bucketSeconds.length)
    if (all === 0) return []
    return [
      ...bucketSeconds.map((bound, at) => sample(`${name}_bucket`, { agent, le: String(bound) }, upTo(at))),
      sample(`${name}_bucket`, { agent, le: "+Inf" }, all),
      sample(`${name}_sum`, { agent }, ms / 1000),
      sample(`${name}_count`, { agent }, all)
    ]
  })
}

export const metricsText = Effect.fn("metricsText")(function* () {
  const now = yield* Clock.currentTimeMillis
  const since = Math.max(0, now - dayMs)
  const tallies = yield* (yield* Metrics).tally(since)
  const open = tallies.filter(({ cause }) => cause === null)
  const ended = tallies.filter(({ cause }) => cause !== null)
  const { rows } = yield* (yield* Ledger).report({ from: 0, to: now + 1, by: ["agent"], days: [] })
  const questions = yield* (yield* Questions).open
  const accounts = yield* (yield* Limits).list
  const deliveries = yield* (yield* Deliveries).counts(since)
  const workers = yield* (yield* WorkerRegistry).workers
  const tokens = (["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"] as const).flatMap((kind) =>
    rows.map((row) =>
      sample(
        "tokens_total",
        {
          agent: row.group[0] ?? "",
          kind: kind.replace("Tokens", "").replace(/[A-Z]/g, (big) => `_${big.toLowerCase()}`)
        },
        row[kind]
      )
    )
  )
  const families: ReadonlyArray<Family> = [
    {
      name: "tasks",
      kind: "gauge",
      help: "Tasks that are queued or running.",
      samples: summed("tasks", open, ({ agent, group, status }) => ({ status, agent, group: group ?? "" }))
    },
    {
      name: "ended_last_day",
      kind: "gauge",
      help: "Tasks that ended in the last 24 hours.",
      samples: summed("ended_last_day", ended, ({ agent, cause, failureClass, status }) => ({
        status,
        cause: cause ?? "",
        failure_class: failureClass ?? "",
        agent
      }))
    },
    {
      name: "wait_seconds",
      kind: "histogram",
      help: "From the submit, or the earliest start, to the start, of tasks that ended in the last 24 hours.",
      samples: histogram("wait_seconds", ended, "wait")
    },
    {
      name: "run_seconds",
      kind: "histogram",
      help: "From the start to the end, of tasks that ended in the last 24 hours.",
      samples: histogram("run_seconds", ended, "run")
    },
    {
      name: "cost_usd_total",
      kind: "counter",
      help: "US dollars that agents reported, and list prices for the rest.",
      samples: rows.map((row) => sample("cost_usd_total", { agent: row.group[0] ?? "" }, row.costUsd))
    },
    { name: "tokens_total", kind: "counter", help: "Tokens that agents reported.", samples: tokens },
    {
      name: "limit_reset_timestamp_seconds",
      kind: "gauge",
      help: "When the usage limit of an account is over.",
      samples: accounts.flatMap(({ account, agent, opensAt }) =>
        opensAt === null
          ? []
          : [sample("limit_reset_timestamp_seconds", { account: fingerprintOf(account), agent }, opensAt / 1000)]
      )
    },
    {
      name: "questions_open",
      kind: "gauge",
      help: "Questions that wait for a person, counted up to 200.",
      samples: [sample("questions_open", {}, questions.length)]
    },
    {
      name: "oldest_question_seconds",
      kind: "gauge",
      help: "How long the oldest open question has been waiting.",
      samples: questions
        .slice(0, 1)
        .map(({ askedAt }) => sample("oldest_question_seconds", {}, Math.max(0, now - askedAt) / 1000))
    },
    {
      name: "deliveries",
      kind: "gauge",
      help: "Messages to hooks: on their way, and given up in the last 24 hours.",
      samples: deliveries.map(({ count, hook, state }) => sample("deliveries", { hook, state }, count))
    },
    {
      name: "workers",
      kind: "gauge",
      help: "Registered worker processes.",
      samples: [sample("workers", {}, workers.length)]
    }
  ]
  return `${families.flatMap(familyText).join("\n")}\n`
})
