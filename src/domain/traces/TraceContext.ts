/**
 * Where work belongs in a trace (https://www.w3.org/TR/trace-context/). All ids follow from the record, so that every export of a
 * task gives the same ones and a receiver can drop what it has.
 */
import * as Schema from "effect/Schema"

/** Version 00 has these four parts and no more; later versions may add some, which are left out. */
const pattern = /^(?!ff)(?!00-.{52}.)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

export const Traceparent = Schema.String.pipe(
  Schema.pattern(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, {
    message: () => "expected the value of a header 'traceparent'"
  })
)

/** The variable TRACEPARENT as version 00 writes it; null where there is none or it cannot be read. */
export const readTraceparent = (text: string | undefined): string | null => {
  const [, , traceId, spanId, flags] = pattern.exec(text ?? "") ?? []
  return traceId === undefined ? null : `00-${traceId}-${spanId}-${flags}`
}

const digits = "0123456789abcdefghjkmnpqrstvwxyz"

/** 12 characters of 5 bits each, as 15 digits of 4. */
const hexOf = (id: string): string =>
  [0, 4, 8]
    .map((at) =>
      [...id.slice(at, at + 4)]
        .reduce((sum, character) => sum * 32 + Math.max(0, digits.indexOf(character)), 0)
        .toString(16)
        .padStart(5, "0")
    )
    .join("")

/** What a span is about. The first digit of its id says so, and the rest is the id of the thing: no two spans have one id. */
const kinds = {
  task: "1",
  pipeline: "2",
  loop: "3",
  contest: "4",
  run: "5",
  wait: "6",
  rest: "7",
  test: "8",
  merge: "9",
  undo: "a"
} as const

/** `wait`: the time before the claim of that id. `rest`: the time after the last claim of the task of that id. */
export const spanIdOf = (kind: keyof typeof kinds, id: string): string => `${kinds[kind]}${hexOf(id)}`

/** The call of a tool with this number, from 0 to 4095, in the run with this span: another first digit, and most of the claim's. */
export const callSpanIdOf = (run: string, n: number): string => `b${run.slice(1, 13)}${n.toString(16).padStart(3, "0")}`

/** "backbeat" in ASCII, and the id of the first span. */
export const traceIdOf = (spanId: string): string => `6261636b62656174${spanId}`

export interface TraceContext {
  readonly traceId: string
  /** The span above; null: there is none. */
  readonly parentId: string | null
  /** Two digits. Bit 0: the service that began the trace keeps it. */
  readonly flags: string
}

/** What decides the context of a task. */
export interface TracedTask {
  readonly id: string
  readonly rootId: string | null
  readonly pipelineId: string | null
  /** Where its submitter was, or the task that delegated it; null: it begins a trace. */
  readonly traceparent: string | null
}

const outside = (traceparent: string | null): TraceContext | null => {
  const [, traceId, parentId, flags] = traceparent?.split("-") ?? []
  return traceId === undefined || parentId === undefined || flags === undefined ? null : { traceId, parentId, flags }
}

/** A trace that begins with the span of this id. */
export const begun = (traceparent: string | null, spanId: string): TraceContext =>
  outside(traceparent) ?? { traceId: traceIdOf(spanId), parentId: null, flags: "01" }

/** All attempts of the same work are in one trace, and so are all steps of a pipeline. */
export const contextOf = ({ id, pipelineId, rootId, traceparent }: TracedTask): TraceContext => {
  if (pipelineId === null) return begun(traceparent, spanIdOf("task", rootId ?? id))
  const pipeline = spanIdOf("pipeline", pipelineId)
  return { ...begun(traceparent, pipeline), parentId: pipeline }
}

/** Of a pipeline, a loop or a contest with this span, by one of its tasks. */
export const contextAround = (spanId: string, task: TracedTask): TraceContext => {
  const context = contextOf(task)
  if (context.parentId !== spanId) return context
  const above = outside(task.traceparent)?.parentId ?? null
  return { ...context, parentId: above === spanId ? null : above }
}

/** Makes the span of a loop or a contest the parent of its task, where the task would begin a trace. */
export const withTraceparent = <T extends { readonly parentId: string | null; readonly traceparent?: string }>(
  task: T,
  spanId: string
): T =>
  task.traceparent === undefined && task.parentId === null
    ? { ...task, traceparent: `00-${traceIdOf(spanId)}-${spanId}-01` }
    : task

/** What the agent of a task gets as TRACEPARENT, so that its own spans and the tasks that it submits are below the task. */
export const traceparentWithin = (task: TracedTask): string => {
  const { flags, traceId } = contextOf(task)
  return `00-${traceId}-${spanIdOf("task", task.id)}-${flags}`
}

/** Whether spans of it are exported: the service that began the trace may have decided against it. */
export const isSampled = ({ flags }: TraceContext): boolean => (Number.parseInt(flags, 16) & 1) === 1

/** Where a task that arrives is in a trace: where its submitter was, else where its original is, else below its parent. */
export const traceparentOf = (
  given: string | undefined,
  parent: TracedTask | null,
  original: Pick<TracedTask, "traceparent"> | null
): string | null =>
  given ?? (original !== null ? original.traceparent : parent === null ? null : traceparentWithin(parent))
