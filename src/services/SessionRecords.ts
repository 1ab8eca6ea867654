/** Reads what an agent writes into its own record of a session, about limits and use: nothing is asked for it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Seen } from "../domain/limits/Signal.ts"
import type { Verdict } from "../domain/task/Agent.ts"
import type { Environment } from "../domain/task/NewTask.ts"

export interface RecordRequest {
  readonly agent: string
  readonly sessionId: string
  /** That of the task: it says where the agent keeps its files. */
  readonly environment: Environment
  readonly directory: string
  /** Windows that were written down before this time count as unknown: an earlier run met them. */
  readonly since: number
  /** The size of the record at the last look: one that has not grown is not read. */
  readonly seenBytes: number
}

/** The end of a record. */
export interface SessionRecord extends Pick<Verdict, "usage" | "uses"> {
  readonly windows: ReadonlyArray<Seen>
  readonly bytes: number
}

interface SessionRecordsService {
  /** Agents that keep such a record. */
  readonly agents: ReadonlyArray<string>
  /**
   * None where there is no record of this session, where it cannot be read, or where it has not grown. At most the last 256 kB
   * of it are read: what is not told there is not known.
   */
  readonly read: (request: RecordRequest) => Effect.Effect<Option.Option<SessionRecord>>
}

/** Where none is provided no agent keeps one. */
export class SessionRecords extends Context.Reference<SessionRecords>()("backbeat/SessionRecords", {
  defaultValue: (): SessionRecordsService => ({ agents: [], read: () => Effect.succeed(Option.none()) })
}) {}
