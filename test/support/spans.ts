/** Reads the documents that a hook with `otlp` sends, as a collector does. */
import * as Schema from "effect/Schema"

const Value = Schema.Union(
  Schema.Struct({ stringValue: Schema.String }),
  Schema.Struct({ boolValue: Schema.Boolean }),
  // 64 bits do not fit into a number of JSON.
  Schema.Struct({ intValue: Schema.NumberFromString }),
  Schema.Struct({ doubleValue: Schema.Number })
)
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))

const SpanId = Schema.String.pipe(Schema.pattern(/^(?!0{16})[0-9a-f]{16}$/))
const TraceId = Schema.String.pipe(Schema.pattern(/^(?!0{32})[0-9a-f]{32}$/))
const Nanoseconds = Schema.String.pipe(Schema.pattern(/^\d+$/), Schema.compose(Schema.BigInt))

const Span = Schema.Struct({
  traceId: TraceId,
  spanId: SpanId,
  parentSpanId: Schema.optional(SpanId),
  name: Schema.NonEmptyString,
  kind: Schema.Int.pipe(Schema.between(1, 5)),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Schema.optionalWith(Attributes, { default: () => [] }),
  events: Schema.optionalWith(Schema.Array(Schema.Struct({ name: Schema.String, timeUnixNano: Nanoseconds })), {
    default: () => []
  }),
  links: Schema.optionalWith(Schema.Array(Schema.Struct({ traceId: TraceId, spanId: SpanId })), { default: () => [] }),
  status: Schema.Struct({ code: Schema.Literal(0, 1, 2), message: Schema.optional(Schema.String) })
})
export type Span = typeof Span.Type

const Document = Schema.parseJson(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        resource: Schema.Struct({ attributes: Attributes }),
        scopeSpans: Schema.Array(
          Schema.Struct({ scope: Schema.Struct({ name: Schema.String }), spans: Schema.Array(Span) })
        )
      })
    )
  })
)

/** What is not in the format fails. */
export const spansIn = (body: string): ReadonlyArray<Span> =>
  Schema.decodeUnknownSync(Document, { onExcessProperty: "error" })(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans)
  )

/** How long it took, in milliseconds. */
export const lengthOf = ({ endTimeUnixNano, startTimeUnixNano }: Span): number =>
  Number(endTimeUnixNano - startTimeUnixNano) / 1e6

export const attributesOf = ({ attributes }: Span): Readonly<Record<string, string | number | boolean>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
