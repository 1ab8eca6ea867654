/** Adds the calls of tools to a document with the spans of tasks: each below the run in which it began. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type OtlpSpan, resourceOf, resourceSpansOf } from "./Otlp.ts"
import type { ToolCall } from "./ToolCall.ts"
import { callSpanIdOf } from "./TraceContext.ts"

const Attribute = Schema.Struct({
  key: Schema.String,
  value: Schema.Struct({ stringValue: Schema.optional(Schema.String) })
})

const Nanoseconds = Schema.compose(Schema.String, Schema.BigInt)

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Schema.optionalWith(Schema.Array(Attribute), { default: () => [] })
})
type Span = typeof Span.Type

const Part = Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })

const readParts = Schema.decodeOption(Schema.parseJson(Schema.Struct({ resourceSpans: Schema.Array(Part) })))
const readWhole = Schema.decodeOption(Schema.parseJson(Schema.Struct({ resourceSpans: Schema.Array(Schema.Unknown) })))

/** A task of a document that has runs, and none of their calls. */
export interface WithoutCalls {
  readonly taskId: string
  readonly agent: string
  readonly runs: ReadonlyArray<Span>
}

const attributeOf = ({ attributes }: Span, key: string): string | undefined =>
  attributes.find((attribute) => attribute.key === key)?.value.stringValue

const taskIn = (spans: ReadonlyArray<Span>): ReadonlyArray<WithoutCalls> => {
  const [own] = spans
  if (own === undefined) return []
  const taskId = attributeOf(own, "backbeat.task.id")
  const agent = attributeOf(own, "gen_ai.agent.name")
  const runs = spans.filter(({ name, parentSpanId }) => name === "run" && parentSpanId === own.spanId)
  return taskId === undefined || agent === undefined || runs.length === 0 ? [] : [{ taskId, agent, runs }]
}

/** The tasks whose calls are missing. A document that was completed before has none, so that all attempts send the same. */
export const tasksWithoutCalls = (body: string): ReadonlyArray<WithoutCalls> => {
  const groups = Option.match(readParts(body), {
    onNone: () => [],
    onSome: ({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.map(({ spans }) => spans))
  })
  const parents = new Set(groups.flatMap((spans) => spans.map(({ parentSpanId }) => parentSpanId)))
  return groups.flatMap(taskIn).filter(({ runs }) => !runs.some(({ spanId }) => parents.has(spanId)))
}

const nanoseconds = (milliseconds: number): bigint => BigInt(milliseconds) * 1_000_000n

const spansOf = ({ runs }: WithoutCalls, calls: ReadonlyArray<ToolCall>): ReadonlyArray<OtlpSpan> => {
  const spanIds = new Map<string, string>()
  const counts = new Map<string, number>()
  return calls.flatMap((call) => {
    const at = nanoseconds(call.startedAt)
    const run = runs.findLast(({ startTimeUnixNano }) => startTimeUnixNano <= at) ?? runs[0]
    if (run === undefined) return []
    // Its clock may have been set, and the output of a killed worker is read late.
    const within = (time: bigint, from: bigint): bigint =>
      time < from ? from : time > run.endTimeUnixNano ? run.endTimeUnixNano : time
    const startTime = within(at, run.startTimeUnixNano)
    const n = counts.get(run.spanId) ?? 0
    counts.set(run.spanId, n + 1)
    const spanId = callSpanIdOf(run.spanId, n)
    spanIds.set(call.id, spanId)
    return [
      {
        traceId: run.traceId,
        spanId,
        parentId: (call.within === null ? undefined : spanIds.get(call.within)) ?? run.spanId,
        name: `execute_tool ${call.name}`,
        kind: 1,
        startTime,
        endTime: call.endedAt === null ? run.endTimeUnixNano : within(nanoseconds(call.endedAt), startTime),
        code: call.failed === null ? 0 : call.failed ? 2 : 1,
        attributes: {
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": call.name,
          "gen_ai.tool.call.id": call.id
        }
      }
    ]
  })
}

/** The document with the calls of these tasks; null: there are none, and it stays as it is. */
export const withCalls = (
  body: string,
  found: ReadonlyArray<readonly [task: WithoutCalls, calls: ReadonlyArray<ToolCall>]>
): string | null => {
  const spans = found.flatMap(([task, calls]) => spansOf(task, calls))
  const whole = Option.getOrNull(readWhole(body))
  if (spans.length === 0 || whole === null) return null
  return JSON.stringify({ resourceSpans: [...whole.resourceSpans, resourceSpansOf(resourceOf({}), spans)] })
}
