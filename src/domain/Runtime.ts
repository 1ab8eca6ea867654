/** The runtime: a process that claims tasks and looks after their agents. */
import * as Schema from "effect/Schema"
import { ProcessIdentity } from "./Process.ts"
import { Timestamp } from "./Task.ts"

export const RuntimeId = Schema.String.pipe(Schema.pattern(/^[0-9a-z]{16}$/), Schema.brand("RuntimeId"))
export type RuntimeId = typeof RuntimeId.Type

/** `on-demand` leaves when there is nothing to do; `worker` was started by a person; `mcp` lives as long as its client. */
export const RuntimeKind = Schema.Literal("on-demand", "worker", "mcp")
export type RuntimeKind = typeof RuntimeKind.Type

export const Runtime = Schema.Struct({
  id: RuntimeId,
  kind: RuntimeKind,
  process: ProcessIdentity,
  version: Schema.String,
  startedAt: Timestamp
}).annotations({ identifier: "Runtime" })
export type Runtime = typeof Runtime.Type
