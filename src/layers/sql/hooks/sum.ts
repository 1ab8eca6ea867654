/** Makes one message of all messages that wait for a hook. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Sending } from "../../../domain/hooks/Delivery.ts"
import type { TargetKind } from "../../../domain/hooks/Hook.ts"
import { HookMessage } from "../../../domain/hooks/HookMessage.ts"
import { encodeSummary } from "../../../domain/hooks/Summary.ts"
import * as Statement from "../database/Statement.ts"

/** More than these wait for the next message. Spans of a task with all calls of its tools take up to 200 KB. */
const most = (kind: TargetKind): number => (kind === "otlp" ? 100 : 1000)

const Spans = Schema.parseJson(Schema.Struct({ resourceSpans: Schema.Array(Schema.Unknown) }))

/** Spans of several documents in one. */
const merge = (bodies: ReadonlyArray<string>): string =>
  JSON.stringify({
    resourceSpans: bodies.flatMap((body) =>
      Option.match(Schema.decodeOption(Spans)(body), {
        onNone: () => [],
        onSome: ({ resourceSpans }) => resourceSpans
      })
    )
  })

const decode = Schema.decodeUnknownOption(Schema.parseJson(HookMessage))

export const makeSum = (sql: SqlClient.SqlClient) => {
  const join = Statement.findAll(() => ({
    Request: Schema.Struct({ hook: Schema.String, lead: Schema.Int, limit: Schema.Int }),
    Result: Schema.Struct({ seq: Schema.Int, body: Schema.String }),
    execute: ({ hook, lead, limit }) => sql`
      UPDATE deliveries SET state = 'summed', next_at = NULL, lead = ${lead} WHERE number IN (
        SELECT number FROM deliveries WHERE hook = ${hook} AND state = 'due' AND attempts = 0 ORDER BY number LIMIT ${limit}
      )
      RETURNING seq, body
    `
  }))

  /** The delivery with what has joined it. Alone it stays as it is. */
  return Effect.fn("Deliveries.sum")(function* (lead: Sending, kind: TargetKind, now: number) {
    const joined = yield* join({ hook: lead.hook, lead: lead.seq, limit: most(kind) })
    if (joined.length === 0) return lead
    const rows = [{ seq: lead.seq, body: lead.body }, ...joined].sort((one, other) => one.seq - other.seq)
    const bodies = rows.map(({ body }) => body)
    const messages = () => bodies.flatMap((body) => Option.toArray(decode(body)))
    const body = kind === "otlp" ? merge(bodies) : encodeSummary(lead, messages(), now)
    yield* sql`UPDATE deliveries SET body = ${body} WHERE hook = ${lead.hook} AND seq = ${lead.seq}`
    return { ...lead, body }
  })
}
