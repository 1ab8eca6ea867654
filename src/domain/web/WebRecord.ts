/** What a running `beat web` leaves on disk for the next one: its process and its address. Only its user can read it. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { ProcessIdentity } from "../worker/Process.ts"

/** 32 random bytes in base64url. Each start makes a new one. */
const WebToken = Schema.Redacted(Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9_-]{43}$/)))

export const WebRecord = Schema.Struct({
  process: ProcessIdentity,
  port: Schema.Int.pipe(Schema.between(1, 65_535)),
  token: WebToken,
  readOnly: Schema.Boolean,
  allowRun: Schema.Boolean,
  version: Schema.String,
  startedAt: Timestamp
}).annotations({ identifier: "WebRecord" })
export type WebRecord = typeof WebRecord.Type

/** A fragment is never sent to a server and is in no log. */
export const urlOf = ({ port, token }: Pick<WebRecord, "port" | "token">): string =>
  `http://127.0.0.1:${port}/#t=${Redacted.value(token)}`
