/**
 * Spans and sums of this process as OTLP in JSON, one document a line: the form that an OpenTelemetry collector reads from a file
 * (`otlpjsonfile`).
 *
 * Weighed: `@effect/opentelemetry` 0.64.1 (`Otlp.layerJson`, for effect 3.22). It sends over HTTP, which a worker that lives for
 * seconds does not outlive without waiting, and brings 17 packages. Use it when a worker must reach a collector without a file.
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Otlp from "../../../domain/traces/Otlp.ts"
import { type CounterName, counterUnits } from "../../../services/Counters.ts"

export interface EndedSpan {
  readonly span: Tracer.Span
  readonly startTime: bigint
  readonly endTime: bigint
  readonly exit: Exit.Exit<unknown, unknown>
}

/** `kind` of OTLP; the rest are internal. */
const kinds: Readonly<Record<Tracer.SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }

/** 1 is ok, 2 an error. A wait that was interrupted is neither. */
const codeOf = (exit: Exit.Exit<unknown, unknown>): number =>
  exit._tag === "Success" ? 1 : Cause.isInterruptedOnly(exit.cause) ? 0 : 2

/** Neither a message nor any attribute: they may hold what a task was asked. */
const spanOf = ({ endTime, exit, span, startTime }: EndedSpan): Otlp.OtlpSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: Option.isSome(span.parent) ? span.parent.value.spanId : null,
  name: span.name,
  kind: kinds[span.kind],
  startTime,
  endTime,
  code: codeOf(exit)
})

/** The resource that writes: each process is one, with its pid. */
export const resourceOf = (pid: number) => Otlp.resourceOf({ "process.pid": pid })

export const spansDocument = (resource: Otlp.Resource, ended: ReadonlyArray<EndedSpan>): string =>
  Otlp.spansDocument(resource, ended.map(spanOf))

/** Sums since `since`, both times in nanoseconds of the wall clock. */
export const sumsDocument = (
  resource: Otlp.Resource,
  sums: ReadonlyMap<CounterName, number>,
  since: bigint,
  now: bigint
): string => {
  const metrics = Array.from(sums, ([name, sum]) => ({
    name: `backbeat.${name}`,
    unit: counterUnits[name],
    sum: {
      // 2 is cumulative.
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [{ startTimeUnixNano: String(since), timeUnixNano: String(now), asInt: String(Math.round(sum)) }]
    }
  }))
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: Otlp.scope, metrics }] }] })
}
