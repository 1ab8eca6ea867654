/** What agents used and what it cost: by day as bars, and by what a person chooses as a table. */
import type { UsageRow, UsageSums, UsageView } from "../../domain/usage/UsageReport.ts"
import { shortSpan } from "../../text/FormatDuration.ts"
import { query } from "./Api.ts"
import { Empty, Heading, Problem, Table } from "./parts.tsx"
import { place, setQuery, useLoaded } from "./State.ts"
import { dollars, plain, thousands } from "./Words.ts"

const periods = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"]
] as const

const dimensions = ["agent", "model", "account", "directory", "pipeline"] as const

const dayMs = 86_400_000

/** Rounded, so that the address of a request stays the same for a while. */
const sinceOf = (days: string): number => Math.floor((Date.now() - Number(days) * dayMs) / 3_600_000) * 3_600_000

const cost = ({ costUsd, estimatedUsd }: UsageSums): string => `${estimatedUsd > 0 ? "~" : ""}${dollars(costUsd)}`

const height = 120
const step = 12

/** One bar for each day with a run; the numbers are in the table below it. */
const Days = ({ rows }: { readonly rows: ReadonlyArray<UsageRow> }) => {
  const most = Math.max(0, ...rows.map(({ costUsd }) => costUsd))
  if (most === 0) return null
  const dearest = rows.find(({ costUsd }) => costUsd === most)
  const words = `Cost of ${rows.length} days with a run, at most ${dollars(most)} on ${dearest?.group[0]}`
  return (
    <figure>
      <svg
        class="days"
        role="img"
        aria-label={words}
        viewBox={`0 0 ${rows.length * step} ${height}`}
        preserveAspectRatio="none"
      >
        {rows.map(({ costUsd, group }, at) => {
          const tall = (costUsd / most) * height
          return (
            <rect key={group[0]} x={at * step + 1} y={height - tall} width={step - 2} height={tall}>
              <title>
                {group[0]}: {dollars(costUsd)}
              </title>
            </rect>
          )
        })}
      </svg>
      <figcaption class="hint">{words}.</figcaption>
    </figure>
  )
}

const sumsOf = (row: UsageSums): ReadonlyArray<string> => [
  cost(row),
  thousands(row.inputTokens),
  thousands(row.outputTokens),
  thousands(row.cacheReadTokens),
  thousands(row.tasks),
  thousands(row.runs),
  row.parkedMs === 0 ? "–" : shortSpan(row.parkedMs)
]

const titles = ["Cost", "Tokens in", "Out", "From cache", "Tasks", "Runs", "Parked"]

export const Usage = () => {
  const { query: words } = place.value
  const days = periods.some(([value]) => value === words.get("days")) ? (words.get("days") ?? "30") : "30"
  const by = dimensions.find((name) => name === words.get("by")) ?? "agent"
  const since = sinceOf(days)
  const daily = useLoaded<UsageView>(`/usage${query({ since, by: "day" })}`, 60_000)
  const { error, value } = useLoaded<UsageView>(`/usage${query({ since, by })}`, 60_000)
  return (
    <>
      <Heading title="Usage">Usage</Heading>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Period
          <select value={days} onChange={(event) => setQuery({ days: event.currentTarget.value })}>
            {periods.map(([name, word]) => (
              <option key={name} value={name}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label>
          By
          <select value={by} onChange={(event) => setQuery({ by: event.currentTarget.value })}>
            {dimensions.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </form>
      <Problem text={error ?? daily.error} />
      {value?.total.runs === 0 && <Empty>No run of an agent ended in this time.</Empty>}
      {daily.value !== null && <Days rows={daily.value.rows} />}
      {value !== null && value.total.runs > 0 && (
        <>
          <Table
            name={`Usage by ${by}`}
            titles={[by, ...titles]}
            rows={[
              ...value.rows.map((row) => [plain(row.group[0] ?? "") || "–", ...sumsOf(row)]),
              ["total", ...sumsOf(value.total)]
            ]}
          />
          <p class="hint">
            ~ includes costs that are computed from list prices.
            {value.total.unpriced > 0 && ` ${value.total.unpriced} runs have no price: their cost is missing.`}
            {value.total.unreported > 0 && ` ${value.total.unreported} runs told no numbers.`}
          </p>
        </>
      )}
    </>
  )
}
