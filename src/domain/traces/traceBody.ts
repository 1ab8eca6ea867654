/** The documents that a hook with `otlp` sends: the spans of work that has ended, made of its record. */
import { type Notice, statusOf } from "../events/Notice.ts"
import type { Labels, Usage } from "../task/Task.ts"
import { type Attributes, type OtlpSpan, resourceOf, spansDocument } from "./Otlp.ts"
import { contextAround, contextOf, isSampled, spanIdOf, type TraceContext, traceIdOf } from "./TraceContext.ts"
import type { ClaimFacts, TaskFacts, WorkFacts } from "./TraceFacts.ts"

const nanoseconds = (milliseconds: number): bigint => BigInt(milliseconds) * 1_000_000n

const internal = 1

const codes: Readonly<Record<string, number>> = {
  completed: 1,
  passed: 1,
  target: 1,
  failed: 2,
  merged: 1,
  undone: 1,
  conflict: 2,
  refused: 2
}

const documentOf = (context: TraceContext, spans: ReadonlyArray<OtlpSpan>): string | null =>
  isSampled(context) ? spansDocument(resourceOf({}), spans) : null

/** Why it failed, in a word or two: the error itself may quote a path. */
const reasonOf = ({ cause, exitCode, failureClass, signal }: TaskFacts): string =>
  failureClass !== null && failureClass !== "unknown" && failureClass !== "agent"
    ? failureClass
    : cause === "exit"
      ? `exit ${exitCode}`
      : (signal ?? cause ?? "unknown")

/** What is stored as JSON of a task; null where it cannot be read: it is left out then. */
const parsed = <A>(text: string | null): A | null => {
  try {
    return JSON.parse(text ?? "null")
  } catch {
    return null
  }
}

const usageOf = (facts: TaskFacts): Attributes => {
  const usage = parsed<Usage>(facts.usage)
  return usage === null
    ? {}
    : {
        "gen_ai.usage.input_tokens": usage.inputTokens,
        "gen_ai.usage.output_tokens": usage.outputTokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cacheReadTokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cacheWriteTokens,
        "backbeat.cost_usd": usage.costUsd,
        // Numbers of the whole session, which must not be added up.
        "backbeat.usage.cumulative": usage.cumulative || null
      }
}

const attributesOf = (facts: TaskFacts): Attributes => ({
  "backbeat.task.id": facts.id,
  "backbeat.task.status": facts.status,
  "backbeat.task.cause": facts.cause,
  "backbeat.task.attempt": facts.attempt,
  "backbeat.task.parent_id": facts.parentId,
  "backbeat.pipeline.id": facts.pipelineId,
  "backbeat.group": facts.group,
  "process.exit.code": facts.exitCode,
  "error.type": facts.status === "failed" ? (facts.failureClass ?? facts.cause) : null,
  "gen_ai.agent.name": facts.agent,
  "gen_ai.request.model": facts.model,
  ...usageOf(facts),
  ...Object.fromEntries(
    Object.entries(parsed<Labels>(facts.labels) ?? {}).map(([key, value]) => [`backbeat.label.${key}`, value])
  )
})

/** What a task waited for before a claim, as the end of the claim before it says. */
const waitOf = (before: ClaimFacts | undefined) => {
  const parked = before?.window !== null && before?.window !== undefined
  const reason = parked ? (before.window === "budget" ? "budget" : "limit") : before?.wakes === 1 ? "tasks" : null
  return {
    name: before?.released === "parked" ? "parked" : "queued",
    attributes: {
      "backbeat.wait.reason": reason,
      "backbeat.limit.window": parked ? before.window : null,
      "backbeat.limit.resets_at": parked ? before.resetsAt : null
    }
  }
}

type Part = Pick<OtlpSpan, "spanId" | "name"> & {
  readonly from: number
  readonly to: number
  readonly attributes: Attributes
}

/**
 * The waits and the runs of a task, one after the other. The clock may have been set back between two entries: a part begins where
 * the one before it ended, and none ends before it began.
 */
const partsOf = (facts: TaskFacts): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  let at = facts.createdAt
  const add = (spanId: string, until: number, { attributes, name }: Pick<Part, "name" | "attributes">) => {
    const to = Math.max(at, until)
    parts.push({ spanId, name, from: at, to, attributes })
    at = to
  }
  // Without those whose agent never started: the task waited on.
  const runs = facts.claims.filter(({ released }) => released !== "requeued")
  for (const [index, claim] of runs.entries()) {
    add(spanIdOf("wait", claim.id), claim.at, waitOf(runs[index - 1]))
    add(spanIdOf("run", claim.id), claim.releasedAt ?? runs[index + 1]?.at ?? facts.endedAt, {
      name: "run",
      attributes: { "backbeat.claim.id": claim.id }
    })
  }
  const last = runs.at(-1)
  if (last === undefined || last.released !== null) add(spanIdOf("rest", facts.id), facts.endedAt, waitOf(last))
  return parts
}

const within = (part: Part, { traceId }: TraceContext, parentId: string): OtlpSpan => ({
  traceId,
  spanId: part.spanId,
  parentId,
  name: part.name,
  kind: internal,
  startTime: nanoseconds(part.from),
  endTime: nanoseconds(part.to),
  code: 0,
  attributes: part.attributes
})

const taskBody = (facts: TaskFacts): string | null => {
  const context = contextOf(facts)
  const parts = partsOf(facts)
  const spanId = spanIdOf("task", facts.id)
  return documentOf(context, [
    {
      ...context,
      spanId,
      name: `task ${facts.agent}`,
      kind: internal,
      startTime: nanoseconds(facts.createdAt),
      endTime: nanoseconds(parts.at(-1)?.to ?? facts.createdAt),
      code: codes[facts.status] ?? 0,
      message: facts.status === "failed" ? reasonOf(facts) : null,
      attributes: attributesOf(facts),
      events: facts.events.map(({ at, name }) => ({ name, time: nanoseconds(at) })),
      links: facts.links.map((task) => ({ traceId: contextOf(task).traceId, spanId: spanIdOf("task", task.id) }))
    },
    ...parts.map((part) => within(part, context, spanId))
  ])
}

const kinds = { "pipeline-ended": "pipeline", "loop-ended": "loop", "contest-ended": "contest" } as const

const isWork = (kind: string): kind is keyof typeof kinds => Object.hasOwn(kinds, kind)

/**
 * A merge is below the task whose work it brings to a branch. What undoes it has no beginning on record, and is a moment: it happens
 * after the merge, whose span the receiver has.
 */
const mergeBody = ({ createdAt, id, task }: WorkFacts, status: string, changedAt: number): string | null => {
  const context = contextOf(task)
  const undone = status === "undone"
  const from = undone ? changedAt : createdAt
  return documentOf(context, [
    {
      traceId: context.traceId,
      spanId: spanIdOf(undone ? "undo" : "merge", id),
      parentId: spanIdOf("task", task.id),
      name: undone ? "merge undone" : "merge",
      kind: internal,
      startTime: nanoseconds(from),
      endTime: nanoseconds(Math.max(from, changedAt)),
      code: codes[status] ?? 0,
      message: codes[status] === 2 ? status : null,
      attributes: { "backbeat.merge.id": id, "backbeat.merge.status": status, "backbeat.task.id": task.id }
    }
  ])
}

/** A pipeline, a loop or a contest around its tasks. */
const workBody = (
  kind: (typeof kinds)[keyof typeof kinds],
  { createdAt, id, task }: WorkFacts,
  status: string,
  endedAt: number
): string | null => {
  const spanId = spanIdOf(kind, id)
  const context = contextAround(spanId, task)
  return documentOf(context, [
    {
      ...context,
      spanId,
      name: kind,
      kind: internal,
      startTime: nanoseconds(createdAt),
      endTime: nanoseconds(Math.max(createdAt, endedAt)),
      code: codes[status] ?? 0,
      message: status === "failed" ? "failed" : null,
      attributes: { [`backbeat.${kind}.id`]: id, [`backbeat.${kind}.status`]: status }
    }
  ])
}

/**
 * The spans of what the notice ended. `facts` is what the statement for it gave. Null: the one who began the trace does not keep it,
 * or the facts cannot be read.
 */
export const traceBody = (notice: Notice, facts: string): string | null => {
  const { at, kind } = notice
  if (kind === "merge-ended") {
    const merge = parsed<WorkFacts>(facts)
    return merge === null ? null : mergeBody(merge, statusOf(notice) ?? "ended", at)
  }
  if (!isWork(kind)) {
    const task = parsed<TaskFacts>(facts)
    return task === null ? null : taskBody(task)
  }
  const work = parsed<WorkFacts>(facts)
  return work === null ? null : workBody(kinds[kind], work, statusOf(notice) ?? "ended", at)
}

/** A span that says that it is a test; `id` makes it another one each time. */
export const testBody = (id: string, now: number): string => {
  const spanId = spanIdOf("test", id)
  return spansDocument(resourceOf({}), [
    {
      traceId: traceIdOf(spanId),
      spanId,
      parentId: null,
      name: "test",
      kind: internal,
      startTime: nanoseconds(now),
      endTime: nanoseconds(now),
      code: 1
    }
  ])
}
