/**
 * Spans as OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
 *
 * Weighed: `@effect/opentelemetry` 0.64.1, which makes documents only of spans that it has held in memory, and brings 17 packages;
 * and `JsonTraceSerializer` of `@opentelemetry/otlp-transformer` 0.301, which takes spans that are made of rows, but needs Node 22.15,
 * 8 packages and 8 KB for what is 1 KB here. Use the second when Node 20 is no longer supported.
 */

export type Attributes = Readonly<Record<string, string | number | boolean | null>>

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | null
  readonly name: string
  /** Of OTLP: 1 is internal. */
  readonly kind: number
  /** Both in nanoseconds of the wall clock. */
  readonly startTime: bigint
  readonly endTime: bigint
  /** 0 is unset, 1 ok, 2 an error. */
  readonly code: number
  readonly message?: string | null
  readonly attributes?: Attributes
  readonly events?: ReadonlyArray<{ readonly name: string; readonly time: bigint }>
  readonly links?: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
}

const typedValue = (value: string | number | boolean) =>
  typeof value === "string"
    ? { stringValue: value }
    : typeof value === "boolean"
      ? { boolValue: value }
      : Number.isSafeInteger(value)
        ? { intValue: String(value) }
        : { doubleValue: value }

/** Those that are null are left out. */
export const attributesOf = (attributes: Attributes) =>
  Object.entries(attributes).flatMap(([key, value]) => (value === null ? [] : [{ key, value: typedValue(value) }]))

const spanOf = (span: OtlpSpan) => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
  name: span.name,
  kind: span.kind,
  startTimeUnixNano: String(span.startTime),
  endTimeUnixNano: String(span.endTime),
  ...(span.attributes === undefined ? {} : { attributes: attributesOf(span.attributes) }),
  ...(span.events === undefined || span.events.length === 0
    ? {}
    : { events: span.events.map(({ name, time }) => ({ name, timeUnixNano: String(time) })) }),
  ...(span.links === undefined || span.links.length === 0 ? {} : { links: span.links }),
  status: { code: span.code, ...(span.message == null ? {} : { message: span.message }) }
})

/** Who writes. */
export const resourceOf = (attributes: Attributes) => ({
  attributes: attributesOf({ "service.name": "backbeat", ...attributes })
})

export type Resource = ReturnType<typeof resourceOf>

export const scope = { name: "backbeat" }

export const resourceSpansOf = (resource: Resource, spans: ReadonlyArray<OtlpSpan>) => ({
  resource,
  scopeSpans: [{ scope, spans: spans.map(spanOf) }]
})

export const spansDocument = (resource: Resource, spans: ReadonlyArray<OtlpSpan>): string =>
  JSON.stringify({ resourceSpans: [resourceSpansOf(resource, spans)] })
