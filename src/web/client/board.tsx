/** The board: what runs, what waits and for what, what has ended; filtered by the address, and acted on together. */

import { useState } from "preact/hooks"
import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import type { Board as BoardData } from "../../programs/reports/board.ts"
import { moment, shortSpan, span } from "../../text/FormatDuration.ts"
import { post, query } from "./Api.ts"
import { Act, Empty, Heading, Labels, Problem, Since, Status, TaskLink } from "./parts.tsx"
import { info, now, place, setQuery, useLoaded } from "./State.ts"
import { failureWords, lastOf, many, plain } from "./Words.ts"

const sinceChoices = [
  ["", "any time"],
  ["1", "last hour"],
  ["24", "last day"],
  ["168", "last week"]
] as const

const hourMs = 3_600_000

/** Rounded, so that the address of a request stays the same for a while. */
const sinceOf = (hours: string): number | null =>
  hours === "" ? null : Math.floor((Date.now() - Number(hours) * hourMs) / 60_000) * 60_000

const Filters = () => {
  const { query: words } = place.value
  const agents = info.value?.agents.map(({ name }) => name) ?? []
  const agent = words.get("agent") ?? ""
  return (
    <search aria-label="Filters">
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Agent
          <select value={agent} onChange={(event) => setQuery({ agent: event.currentTarget.value })}>
            <option value="">all</option>
            {[
              ...new Set([...agents, ...(info.value?.allowRun ? [] : ["shell"]), ...(agent === "" ? [] : [agent])])
            ].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Label
          <input
            value={words.get("label") ?? ""}
            placeholder="team=web"
            onChange={(event) => setQuery({ label: event.currentTarget.value.trim() })}
          />
        </label>
        <label>
          Directory
          <input
            value={words.get("directory") ?? ""}
            placeholder="/home/me/project"
            onChange={(event) => setQuery({ directory: event.currentTarget.value.trim() })}
          />
        </label>
        <label>
          Submitted
          <select value={words.get("since") ?? ""} onChange={(event) => setQuery({ since: event.currentTarget.value })}>
            {sinceChoices.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
      </form>
    </search>
  )
}

interface Chosen {
  readonly has: (id: string) => boolean
  readonly toggle: (id: string) => void
}

const silentLongMs = 60_000

const Card = ({
  chosen,
  note,
  task
}: {
  readonly chosen: Chosen
  readonly note: string | null
  readonly task: TaskSummary
}) => (
  <li class="card">
    {info.value?.readOnly === false && (
      <input
        type="checkbox"
        aria-label={`Select ${plain(task.title)}`}
        checked={chosen.has(task.id)}
        onChange={() => chosen.toggle(task.id)}
      />
    )}
    <div>
      <TaskLink task={task} />
      <p class="facts">
        <Status task={task} /> <span>{task.agent}</span> <Since task={task} />{" "}
        <a title={plain(task.directory)} href={`#/?directory=${encodeURIComponent(task.directory)}`}>
          {plain(lastOf(task.directory))}
        </a>{" "}
        <Labels labels={task.labels} />
      </p>
      {note !== null && <p class="note">{note}</p>}
    </div>
  </li>
)

const Column = (props: {
  readonly name: string
  readonly tasks: ReadonlyArray<TaskSummary>
  readonly more: number
  readonly note: (task: TaskSummary, at: number) => string | null
  readonly empty: string
  readonly chosen: Chosen
}) => {
  const id = `column-${props.name.toLowerCase()}`
  const count = props.tasks.length + props.more
  return (
    <section class="column" aria-labelledby={id}>
      <h2 id={id}>
        {props.name} <span class="count">{props.more >= 1000 ? "1000+" : count}</span>
      </h2>
      {props.tasks.length === 0 ? (
        <Empty>{props.empty}</Empty>
      ) : (
        <ul>
          {props.tasks.map((task, at) => (
            <Card key={task.id} task={task} chosen={props.chosen} note={props.note(task, at)} />
          ))}
        </ul>
      )}
      {props.more > 0 && <Empty>{many(props.more, "more task")}. Filter, or in a terminal: beat list</Empty>}
    </section>
  )
}

/** Cancels what has not ended and retries what has. */
const Together = ({ clear, tasks }: { readonly tasks: ReadonlyArray<TaskSummary>; readonly clear: () => void }) => {
  const open = tasks.filter(({ endedAt }) => endedAt === null)
  const over = tasks.filter(({ endedAt }) => endedAt !== null)
  const each = (which: ReadonlyArray<TaskSummary>, step: string) => async () => {
    const failed: Array<string> = []
    for (const { id } of which) {
      await post(`/tasks/${id}/${step}`, {}).catch((error: Error) => failed.push(`${id}: ${error.message}`))
    }
    clear()
    if (failed.length > 0) throw new Error(failed.join(" "))
  }
  return (
    <fieldset class="together" aria-label="Selected tasks">
      <span>{many(tasks.length, "task")} selected</span>
      {open.length > 0 && <Act danger what={`Cancel ${open.length}`} done="Cancelled." run={each(open, "cancel")} />}
      {over.length > 0 && <Act what={`Retry ${over.length}`} done="Submitted again." run={each(over, "retry")} />}
      <button type="button" onClick={clear}>
        Clear
      </button>
    </fieldset>
  )
}

export const Board = () => {
  const { query: words } = place.value
  const filter = query({
    agent: words.get("agent"),
    label: words.get("label"),
    directory: words.get("directory"),
    since: sinceOf(words.get("since") ?? "")
  })
  const { error, value } = useLoaded<BoardData>(`/board${filter}`, 5000)
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const chosen: Chosen = {
    has: (id) => ids.has(id),
    toggle: (id) => {
      const next = new Set(ids)
      if (!next.delete(id)) next.add(id)
      setIds(next)
    }
  }
  const clear = () => setIds(new Set())
  const all = value === null ? [] : [...value.running, ...value.waiting, ...value.ended]
  const selected = all.filter(({ id }) => ids.has(id))
  return (
    <>
      <Heading title="Board">Board</Heading>
      <Filters />
      <Problem text={error} />
      {value !== null && <Notes board={value} />}
      {selected.length > 0 && <Together tasks={selected} clear={clear} />}
      {value !== null && (
        <div class="columns">
          <Column
            name="Running"
            tasks={value.running}
            more={value.more.running}
            chosen={chosen}
            empty="Nothing runs."
            note={(task, at) => {
              if (value.starting.includes(task.id)) return "Its agent is being started."
              if (task.cancelRequestedAt !== null) return "It is being ended."
              if (task.frozenAt !== null) return "It is frozen: its processes are stopped."
              if (isAsking(task)) return "It asks a person: see the inbox."
              const silent = value.running[at]?.silentMs ?? null
              return silent !== null && silent >= silentLongMs ? `No output for ${span(silent)}.` : null
            }}
          />
          <Column
            name="Waits"
            tasks={value.waiting}
            more={value.more.waiting}
            chosen={chosen}
            empty="Nothing waits."
            note={(_task, at) => {
              const reason = value.waiting[at]
              if (reason === undefined) return null
              return reason.waitsFor === null
                ? reason.reason === "starting"
                  ? "It starts within moments."
                  : null
                : `Waits for ${plain(reason.waitsFor)}`
            }}
          />
          <Column
            name="Ended"
            tasks={value.ended}
            more={value.more.ended}
            chosen={chosen}
            empty="Nothing has ended yet."
            note={(task) => {
              if (task.status === "completed") return null
              const failure = failureWords(task)
              const error = task.error === null ? "" : plain(task.error).slice(0, 200)
              return [failure, error].filter((part) => part !== null && part !== "").join(" · ") || null
            }}
          />
        </div>
      )}
    </>
  )
}

/** What holds tasks back, above all columns. */
const Notes = ({ board }: { readonly board: BoardData }) => (
  <>
    {board.gates.map((gate) => (
      <p class="banner" key={`${gate.scope} ${gate.name}`}>
        Paused: {gate.scope === "all" ? "everything" : plain(`${gate.scope} ${gate.name}`)}
        {gate.until !== null && `, for ${span(gate.until - now.value)}`}
        {gate.reason !== null && `: ${plain(gate.reason)}`}
      </p>
    ))}
    {board.limits.map(({ account, agent, opensAt, spare, waiting }) => (
      <>
        {opensAt !== null && (
          <p class="banner" key={account}>
            The limit of {agent} is met, and ends in {shortSpan(opensAt - now.value)}: {many(waiting, "task")}{" "}
            {waiting === 1 ? "waits" : "wait"}. <a href="#/limits">Limits</a>
          </p>
        )}
        {spare !== null && (
          <p class="banner" key={`${account} spare`}>
            {many(spare.waiting, "spare task")} {spare.waiting === 1 ? "waits" : "wait"} for room of {agent} that would
            go unused, from {moment(spare.opensAt)}. <a href="#/limits">Limits</a>
          </p>
        )}
      </>
    ))}
  </>
)
