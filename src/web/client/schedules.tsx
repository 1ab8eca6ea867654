/** The schedules: when each fires next, and what happened at its times. */
import type { Execution } from "../../domain/schedule/Schedule.ts"
import type { ScheduleBoard } from "../../programs/schedules/scheduleReport.ts"
import { moment, relative } from "../../text/FormatDuration.ts"
import { timingText } from "../../text/timingText.ts"
import { query } from "./Api.ts"
import { Badge, Empty, Heading, Problem } from "./parts.tsx"
import { now, place, setQuery, useLoaded } from "./State.ts"
import { many, plain } from "./Words.ts"

type Entry = ScheduleBoard["schedules"][number]

const wordsOf = ({ count, dueAt, reason, status }: Execution): string =>
  `${moment(dueAt)}: ${status}${count > 1 ? ` ${count} times` : ""}${reason === null ? "" : `, ${plain(reason)}`}`

const linkOf = ({ pipelineId, taskId }: Execution): string | null =>
  taskId !== null ? `#/task/${taskId}` : pipelineId !== null ? `#/pipelines/${pipelineId}` : null

/** The newest on the right, as time goes. */
const Strip = ({ entry }: { readonly entry: Entry }) => (
  <ol class="strip" aria-label={`Past times of ${plain(entry.name ?? entry.title)}, the oldest first`}>
    {entry.executions.toReversed().map((execution) => {
      const link = linkOf(execution)
      const badge = <Badge word={execution.status} />
      return (
        <li key={`${execution.dueAt} ${execution.origin}`} title={wordsOf(execution)}>
          {link === null ? badge : <a href={link}>{badge}</a>}
        </li>
      )
    })}
  </ol>
)

const Card = ({ entry }: { readonly entry: Entry }) => {
  const [next, ...later] = entry.times
  const missed = entry.executions.filter(({ status }) => status === "missed").length
  return (
    <li class="card">
      <section aria-labelledby={`schedule-${entry.id}`}>
        <h2 id={`schedule-${entry.id}`}>
          {plain(entry.name ?? entry.title)} <Badge word={entry.status} />
        </h2>
        <p class="facts">
          <span>{plain(timingText(entry.timing))}</span> <span>{entry.agent}</span>{" "}
          {entry.name !== null && <span>{plain(entry.title)}</span>} <span>{many(entry.runs, "run")}</span>
          {entry.open > 0 && <span>{entry.open} in progress</span>}
          {missed > 0 && <span>{missed} missed</span>}
        </p>
        {entry.reason !== null && <p class="note">{plain(entry.reason)}</p>}
        {entry.problem !== null && <p class="note failed">{entry.problem}.</p>}
        {next !== undefined && (
          <p>
            {entry.status === "paused" ? "Would fire" : "Next"}: <time>{moment(next)}</time> (
            {relative(next, now.value)})
            {later.length > 0 && <span class="hint">, then {later.map((at) => moment(at)).join(", ")}</span>}
          </p>
        )}
        {entry.executions.length > 0 && <Strip entry={entry} />}
      </section>
    </li>
  )
}

export const Schedules = () => {
  const all = place.value.query.get("all") === "true"
  const { error, value } = useLoaded<ScheduleBoard>(
    `/schedules${query({ limit: 50, all: all ? "true" : null })}`,
    15_000
  )
  return (
    <>
      <Heading title="Schedules">Schedules</Heading>
      <label class="check">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => setQuery({ all: event.currentTarget.checked ? "true" : "" })}
        />{" "}
        Finished ones too
      </label>
      <Problem text={error} />
      {value?.schedules.length === 0 && <Empty>No schedules. In a terminal: beat schedule create --help</Empty>}
      <ul>
        {value?.schedules.map((entry) => (
          <Card key={entry.id} entry={entry} />
        ))}
      </ul>
      {value !== null && value.next !== null && <Empty>There are more. In a terminal: beat schedule list</Empty>}
    </>
  )
}
