/** One task: what it is, what it prints, what it changed, and what can be done with it. */

import type { ComponentChildren } from "preact"
import { useRef, useState } from "preact/hooks"
import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskReport } from "../../programs/reports/taskReport.ts"
import { bytes, moment, relative, span } from "../../text/FormatDuration.ts"
import { sanitize } from "../../text/Sanitize.ts"
import type { Submitted } from "../api/TasksApi.ts"
import { post } from "./Api.ts"
import { Later } from "./later.tsx"
import { Act, Empty, Heading, Labels, Problem, Since, Status } from "./parts.tsx"
import { info, now, place, said, setQuery, useLoaded } from "./State.ts"
import { dollars, failureWords, many, plain, thousands } from "./Words.ts"

const tabs = [
  ["output", "Output"],
  ["diff", "Diff"],
  ["prompt", "Prompt"],
  ["answer", "Answer"],
  ["facts", "Facts"]
] as const

const Tabs = ({ chosen }: { readonly chosen: string }) => {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0
    if (by === 0) return
    const at = tabs.findIndex(([name]) => name === chosen)
    const next = tabs[(at + by + tabs.length) % tabs.length]
    if (next === undefined) return
    setQuery({ tab: next[0] })
    list.current?.querySelector<HTMLElement>(`#tab-${next[0]}`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the task" ref={list} onKeyDown={move}>
      {tabs.map(([name, word]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === chosen}
          aria-controls="tab-panel"
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => setQuery({ tab: name })}
        >
          {word}
        </button>
      ))}
    </div>
  )
}

const open = ({ task }: Submitted) => {
  location.hash = `#/task/${task.id}`
}

/** What can be done with it now. */
const Actions = ({ again, task }: { readonly task: TaskReport; readonly again: () => void }) => {
  const [context, setContext] = useState("")
  const [asking, setAsking] = useState(false)
  if (info.value === null || info.value.readOnly) return null
  const over = task.endedAt !== null
  const mayResume = over && (task.agent !== "shell" || info.value.allowRun)
  return (
    <div class="actions">
      {!over && (
        <Act
          danger
          what="Cancel"
          done="The task is being cancelled."
          disabled={task.cancelRequestedAt !== null}
          run={() => post(`/tasks/${task.id}/cancel`, {}).then(again)}
        />
      )}
      {over && (
        <Act
          what="Retry"
          done="Submitted again as a new task."
          run={() => post<Submitted>(`/tasks/${task.id}/retry`, {}).then(open)}
        />
      )}
      {mayResume && (
        <button type="button" aria-expanded={asking} onClick={() => setAsking(!asking)}>
          Resume
        </button>
      )}
      {mayResume && asking && (
        <div class="ask">
          <label>
            What to do now (optional)
            <textarea rows={3} value={context} onInput={(event) => setContext(event.currentTarget.value)} />
          </label>
          <Act
            what="Resume in its session"
            done="The work continues in a new task."
            run={() => post<Submitted>(`/tasks/${task.id}/resume`, context.trim() === "" ? {} : { context }).then(open)}
          />
        </div>
      )}
    </div>
  )
}

const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const TaskLinks = ({ ids }: { readonly ids: ReadonlyArray<string> }) => (
  <>
    {ids.map((id) => (
      <>
        <a href={`#/task/${id}`}>{id}</a>{" "}
      </>
    ))}
  </>
)

const at = (time: number | null) => (time === null ? "–" : `${moment(time)} (${relative(time, now.value)})`)

const Facts = ({ task }: { readonly task: TaskReport }) => {
  const { usage } = task
  return (
    <dl class="facts-list">
      <Fact name="Id">{task.id}</Fact>
      <Fact name="Agent">
        {task.agent}
        {task.model !== null && `, model ${task.model}`}
      </Fact>
      <Fact name="Directory">{plain(task.directory)}</Fact>
      <Fact name="Submitted">{at(task.createdAt)}</Fact>
      <Fact name="Started">{at(task.startedAt)}</Fact>
      <Fact name="Ended">{at(task.endedAt)}</Fact>
      {task.cause !== null && <Fact name="Ended by">{failureWords(task)}</Fact>}
      {task.cancelledBy !== null && (
        <Fact name="Cancelled by">
          {plain(task.cancelledBy)}
          {task.cancelReason !== null && `: ${plain(task.cancelReason)}`}
        </Fact>
      )}
      <Fact name="Priority">{task.priority}</Fact>
      <Fact name="Attempt">
        {task.attempt}
        {task.retryOf !== null && (
          <>
            , after <TaskLinks ids={[task.retryOf]} />
          </>
        )}
        {task.retriedBy !== null && (
          <>
            , followed by <TaskLinks ids={[task.retriedBy]} />
          </>
        )}
      </Fact>
      {task.parentId !== null && (
        <Fact name="Submitted by task">
          <TaskLinks ids={[task.parentId]} />
        </Fact>
      )}
      {task.children.length > 0 && (
        <Fact name="Submitted tasks">
          <TaskLinks ids={task.children.slice(0, 50)} />
        </Fact>
      )}
      {task.dependsOn.length > 0 && (
        <Fact name="Waits for">
          {task.dependsOn.map(({ policy, state, taskId }) => (
            <div key={taskId}>
              <TaskLinks ids={[taskId]} /> {policy}, {state}
            </div>
          ))}
        </Fact>
      )}
      {task.pipelineId !== null && (
        <Fact name="Pipeline">
          <a href={`#/pipelines/${task.pipelineId}`}>{task.pipelineId}</a>
        </Fact>
      )}
      {task.group !== null && <Fact name="Group">{task.group}</Fact>}
      {task.timeoutMs !== null && (
        <Fact name="Timeout">
          {span(task.timeoutMs)}
          {task.timeLeftMs !== null && `, ${span(task.timeLeftMs)} left`}
        </Fact>
      )}
      {task.workspace !== null && (
        <Fact name="Workspace">
          {plain(task.workspace.path)}, {task.workspace.state}
        </Fact>
      )}
      {task.sessionId !== null && <Fact name="Session">{plain(task.sessionId)}</Fact>}
      {usage !== null && (
        <Fact name="Usage">
          {[
            ...(usage.inputTokens === null ? [] : [`${thousands(usage.inputTokens)} tokens in`]),
            ...(usage.outputTokens === null ? [] : [`${thousands(usage.outputTokens)} out`]),
            ...(usage.cacheReadTokens === null ? [] : [`${thousands(usage.cacheReadTokens)} from cache`]),
            ...(usage.costUsd === null ? [] : [dollars(usage.costUsd)])
          ].join(", ")}
          {usage.cumulative && " (whole session)"}
        </Fact>
      )}
      <Fact name="Output">
        {bytes(task.bytesStored)}
        {task.bytesDropped > 0 && `, ${bytes(task.bytesDropped)} dropped from the middle`}
      </Fact>
      {task.checkpoint?.diffStat != null && (
        <Fact name="Changes">
          <pre>{sanitize(task.checkpoint.diffStat)}</pre>
        </Fact>
      )}
      {task.leftovers > 0 && <Fact name="Left behind">{many(task.leftovers, "process")} ended after it</Fact>}
      {Object.keys(task.labels).length > 0 && (
        <Fact name="Labels">
          <Labels labels={task.labels} />
        </Fact>
      )}
    </dl>
  )
}

const silentLongMs = 30_000

/** What it does now, in one line. */
const nowWords = (task: TaskReport): string | null => {
  if (task.neglect !== null) return "Its worker is gone. Another one takes it over: beat why"
  if (task.status === "queued")
    return task.waitsFor === null ? "It starts within moments." : `Waits for ${plain(task.waitsFor)}`
  if (task.status !== "running") return task.error === null ? null : plain(task.error)
  if (task.cancelRequestedAt !== null) return "It is being ended."
  if (task.frozenAt !== null) return `Its processes are stopped. It waits for ${plain(task.waitsFor ?? "beat resume")}`
  if (isAsking(task)) return "It asks a person: see the inbox."
  return task.silentMs !== null && task.silentMs >= silentLongMs ? `No output for ${span(task.silentMs)}.` : null
}

const LongText = ({ name, text }: { readonly name: string; readonly text: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
  <section class="text" tabIndex={0} aria-label={name}>
    {sanitize(text)}
  </section>
)

export const Task = ({ id }: { readonly id: string }) => {
  const { again, error, value } = useLoaded<TaskReport>(`/tasks/${encodeURIComponent(id)}`, 5000)
  const asked = place.value.query.get("tab") ?? "output"
  const tab = tabs.some(([name]) => name === asked) ? asked : "output"
  if (value === null) return error === null ? <Empty>Reading …</Empty> : <Problem text={error} />
  const words = nowWords(value)
  return (
    <>
      <Heading title={plain(value.title)}>{plain(value.title) || value.id}</Heading>
      <p class="facts">
        <Status task={value} /> <span>{value.agent}</span> <Since task={value} /> <span>{plain(value.directory)}</span>{" "}
        <Labels labels={value.labels} />{" "}
        <button
          type="button"
          class="quiet"
          title="Copy the id"
          onClick={() => void navigator.clipboard.writeText(value.id).then(() => (said.value = "The id was copied."))}
        >
          {value.id}
        </button>
      </p>
      {words !== null && <p class={value.status === "failed" ? "note failed" : "note"}>{words}</p>}
      <Problem text={error} />
      <Actions task={value} again={again} />
      <Tabs chosen={tab} />
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "output" && (
          <Later
            load={() => import("./log.tsx").then(({ Log }) => Log)}
            given={{ id: value.id, running: value.endedAt === null }}
          />
        )}
        {tab === "diff" && (
          <Later load={() => import("./diff.tsx").then(({ Diff }) => Diff)} given={{ id: value.id }} />
        )}
        {tab === "prompt" && (
          <>
            {value.systemPrompt !== null && <LongText name="System prompt" text={value.systemPrompt} />}
            <LongText name="Prompt" text={value.prompt} />
          </>
        )}
        {tab === "answer" &&
          (value.answer === null ? (
            <Empty>{value.endedAt === null ? "It has not ended." : "It gave no answer."}</Empty>
          ) : (
            <LongText name="Answer" text={value.answer} />
          ))}
        {tab === "facts" && <Facts task={value} />}
      </div>
    </>
  )
}
