/** The worker: a process that claims tasks and looks after their agents. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { ProcessIdentity } from "./Process.ts"

export const WorkerId = Schema.String.pipe(Schema.pattern(/^[0-9a-z]{16}$/), Schema.brand("WorkerId"))
export type WorkerId = typeof WorkerId.Type

/** `on-demand` leaves when there is nothing to do; `worker` was started by a person; `mcp` lives as long as its client. */
export const WorkerKind = Schema.Literal("on-demand", "worker", "mcp")
export type WorkerKind = typeof WorkerKind.Type

export const Worker = Schema.Struct({
  id: WorkerId,
  kind: WorkerKind,
  process: ProcessIdentity,
  version: Schema.String,
  startedAt: Timestamp
}).annotations({ identifier: "Worker" })
export type Worker = typeof Worker.Type
