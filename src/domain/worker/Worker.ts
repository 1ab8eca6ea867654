/** The worker: a process that claims tasks and looks after their agents. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { type Alive, ProcessIdentity } from "./Process.ts"

export const WorkerId = Schema.String.pipe(Schema.pattern(/^[0-9a-z]{16}$/), Schema.brand("WorkerId"))
export type WorkerId = typeof WorkerId.Type

/** `on-demand` leaves when there is nothing to do; `worker` was started by a person; `mcp` lives as long as its client. */
export const WorkerKind = Schema.Literal("on-demand", "worker", "mcp")
export type WorkerKind = typeof WorkerKind.Type

/** The user a process runs as; null where the system has no such number. */
export const Uid = Schema.NullOr(Schema.Int.pipe(Schema.nonNegative()))
export type Uid = typeof Uid.Type

export const Worker = Schema.Struct({
  id: WorkerId,
  kind: WorkerKind,
  process: ProcessIdentity,
  version: Schema.String,
  /** The schema of the database that it knows. */
  schema: Schema.Int,
  /** Claims only tasks that this user has submitted. */
  uid: Uid,
  /** The database file that it has open; null where that is not a file. A copy of the database has a copy of this row. */
  file: Schema.NullOr(Schema.String),
  startedAt: Timestamp,
  /** Written about every half minute while it has work: all that can be known of a process that cannot be seen. */
  seenAt: Timestamp
}).annotations({ identifier: "Worker" })
export type Worker = typeof Worker.Type

/** Between two writes of `seenAt`, in milliseconds. */
export const seenEveryMs = 30_000

/** A worker that cannot be seen and has not written for so long, in milliseconds, is taken to be gone. */
export const unseenMs = 5 * 60_000

/**
 * Whether a worker serves the queue for the process that asks. Only `serves` and `elsewhere` do.
 * `elsewhere`: it cannot be seen from here and has written within minutes. `unseen`: it has not.
 * `stopped`: it lives and does nothing until it gets SIGCONT; its agents stay its own.
 * `other-schema`: it knows an older or a newer database. `other-file`: it has the database open of which this one is a copy. `other-user`: it claims no task of this user.
 */
export const Serving = Schema.Literal(
  "serves",
  "elsewhere",
  "unseen",
  "stopped",
  "other-schema",
  "other-file",
  "other-user",
  "dead"
).annotations({ identifier: "Serving" })
export type Serving = typeof Serving.Type

interface Sight {
  readonly alive: Alive
  readonly stopped: boolean
  /** The schema, the file and the user of the process that asks. */
  readonly schema: number
  readonly file: string | null
  readonly uid: Uid
  readonly now: number
}

export const servingOf = (worker: Worker, sight: Sight): Serving => {
  if (sight.alive === "dead") return "dead"
  if (worker.uid !== sight.uid) return "other-user"
  if (worker.schema !== sight.schema) return "other-schema"
  // Only what is seen to live is compared: the numbers of a file change with the machine.
  if (sight.alive === "alive" && worker.file !== sight.file) return "other-file"
  if (sight.alive === "unknown") return sight.now - worker.seenAt > unseenMs ? "unseen" : "elsewhere"
  return sight.stopped ? "stopped" : "serves"
}

export const isServing = (serving: Serving): boolean => serving === "serves" || serving === "elsewhere"
