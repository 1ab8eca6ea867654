/** Pipelines: a list, and one as a graph of its steps with a bar for each on a common axis of time. */

import type { Pipeline, PipelinePage, PipelineStep } from "../../domain/pipeline/Pipeline.ts"
import { isAsking } from "../../domain/task/isAsking.ts"
import { moment, relative, span } from "../../text/FormatDuration.ts"
import { layout, node } from "./layout.ts"
import { Badge, Empty, Heading, Problem, Table } from "./parts.tsx"
import { now, useLoaded } from "./State.ts"
import { many, plain } from "./Words.ts"

const wordOf = ({ status, task }: PipelineStep): string => (isAsking(task) ? "asks" : status)

export const PipelineList = () => {
  const { error, value } = useLoaded<PipelinePage>("/pipelines?limit=50", 5000)
  return (
    <>
      <Heading title="Pipelines">Pipelines</Heading>
      <Problem text={error} />
      {value?.pipelines.length === 0 && <Empty>No pipelines. In a terminal: beat pipeline run FILE</Empty>}
      {value !== null && value.pipelines.length > 0 && (
        <Table
          name="Pipelines"
          titles={["Pipeline", "Status", "Steps", "Submitted", "Took"]}
          rows={value.pipelines.map(({ counts, createdAt, endedAt, id, name, startedAt, status }) => [
            <a href={`#/pipelines/${id}`}>{plain(name) || id}</a>,
            <Badge word={status} />,
            Object.entries(counts)
              .flatMap(([word, count]) => (count === 0 ? [] : [`${count} ${word}`]))
              .join(", "),
            <time title={moment(createdAt)}>{relative(createdAt, now.value)}</time>,
            startedAt === null ? "–" : span((endedAt ?? now.value) - startedAt)
          ])}
        />
      )}
      {value !== null && value.next !== null && <Empty>There are more. In a terminal: beat pipeline list</Empty>}
    </>
  )
}

/** Steps in columns: each is right of all that it waits for. */
const Graph = ({ steps }: { readonly steps: ReadonlyArray<PipelineStep> }) => {
  const { edges, height, places, width } = layout(steps)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
    <section class="graph" tabIndex={0} aria-label="Steps and what they wait for">
      <div style={{ width: `${width}px`, height: `${height}px` }}>
        <svg aria-hidden="true" width={width} height={height}>
          {edges.map(({ from, path, to }) => (
            <path key={`${from} ${to}`} d={path} />
          ))}
        </svg>
        {steps.map((step, at) => {
          const { x = 0, y = 0 } = places[at] ?? {}
          return (
            <a
              key={step.position}
              href={`#/task/${step.task.id}`}
              title={plain(step.name)}
              style={{ left: `${x}px`, top: `${y}px`, width: `${node.width}px`, height: `${node.height}px` }}
            >
              <span class="name">{plain(step.name)}</span> <Badge word={wordOf(step)} />
            </a>
          )
        })}
      </div>
    </section>
  )
}

/** From its start to its end, as a part of the time that the pipeline took. */
const Bar = ({ from, step, to }: { readonly step: PipelineStep; readonly from: number; readonly to: number }) => {
  const { endedAt, startedAt } = step.task
  if (startedAt === null) return <>not started</>
  const whole = Math.max(1, to - from)
  const end = endedAt ?? to
  const left = Math.max(0, (startedAt - from) / whole) * 100
  const wide = Math.max(0.5, ((end - Math.max(from, startedAt)) / whole) * 100)
  return (
    <>
      <span class="track" aria-hidden="true">
        <span
          class={`run ${step.status}`}
          style={{ left: `${Math.min(99, left)}%`, width: `${Math.min(100 - left, wide)}%` }}
        />
      </span>
      {span(end - startedAt)}
    </>
  )
}

export const PipelinePart = ({ id }: { readonly id: string }) => {
  const { error, value } = useLoaded<Pipeline>(`/pipelines/${encodeURIComponent(id)}`, 5000)
  if (value === null) return error === null ? <Empty>Reading …</Empty> : <Problem text={error} />
  const { createdAt, endedAt, name, startedAt, status, steps } = value
  const from = startedAt ?? createdAt
  const to = endedAt ?? now.value
  return (
    <>
      <Heading title={plain(name)}>{plain(name) || value.id}</Heading>
      <p class="facts">
        <Badge word={status} /> <span>{many(steps.length, "step")}</span>
        <time title={moment(createdAt)}>submitted {relative(createdAt, now.value)}</time>
        {startedAt !== null && <span>{endedAt === null ? `for ${span(to - from)}` : `took ${span(to - from)}`}</span>}
        {value.retryOf !== null && (
          <span>
            tries <a href={`#/pipelines/${value.retryOf}`}>{value.retryOf}</a> again
          </span>
        )}
        {value.cancelledBy !== null && <span>cancelled by {plain(value.cancelledBy)}</span>}
      </p>
      <Problem text={error} />
      <Graph steps={steps} />
      <Table
        name="Steps"
        titles={["Step", "Status", "Agent", "Try", "Time"]}
        rows={steps.map((step) => [
          <a href={`#/task/${step.task.id}`}>{plain(step.name)}</a>,
          <>
            <Badge word={wordOf(step)} />
            {step.kept && " kept"}
          </>,
          plain(step.task.agent),
          String(step.task.attempt),
          step.kept ? "of the pipeline before" : <Bar step={step} from={from} to={to} />
        ])}
      />
    </>
  )
}
