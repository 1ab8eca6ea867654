/** Agent processes: started through the shim, observed, read and stopped. They outlive every Backbeat process. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SpawnFailed } from "../domain/Errors.ts"
import type { StreamName } from "../domain/output/Output.ts"
import type { OutputEmptied } from "../domain/output/OutputEmptied.ts"
import type { ProcessEnd } from "../domain/task/Agent.ts"
import type { CpuUse } from "../domain/task/Stall.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { ClaimId } from "../domain/worker/Claim.ts"
import type { ProcessIdentity } from "../domain/worker/Process.ts"
import type { ClaimedTask } from "./Queue.ts"

/** What can be said of a claim's process now. */
export type Observation =
  /** The start token was not taken: nothing runs, and after `revoke` nothing will. */
  | { readonly _tag: "NotStarted" }
  /** The token is taken, the shim has not reported its identity yet. */
  | { readonly _tag: "Starting" }
  | { readonly _tag: "Running"; readonly process: ProcessIdentity }
  /** The agent was started in another pid namespace or on another host: whether it lives cannot be seen. */
  | { readonly _tag: "Hidden" }
  /** The agent ended and its status was read. `endedAt`: when it was written, in milliseconds since 1970; null: not known. */
  | {
      readonly _tag: "Exited"
      readonly end: ProcessEnd
      readonly process: ProcessIdentity | null
      readonly endedAt: number | null
    }
  /** The shim is gone without having left a status; `survivors` counts processes of the task that still live. */
  | { readonly _tag: "Lost"; readonly survivors: number }

/** Which processes belong to a task, and which of them must be spared. */
export interface Target {
  readonly taskId: TaskId
  readonly claimId: ClaimId
  readonly process: ProcessIdentity | null
  /** The place in which the claim was made, as in a `ProcessIdentity`. */
  readonly bootId: string
  /** Live Backbeat workers: never touched, wherever they are in the tree. */
  readonly spare: ReadonlyArray<ProcessIdentity>
}

export class Spawner extends Context.Tag("backbeat/Spawner")<
  Spawner,
  {
    /** Why a workspace cannot be mounted over the repository `over` for one agent alone, else null. */
    readonly mountObstacle: (over: string, userHome: string | null) => Effect.Effect<string | null>
    /**
     * Starts the claim's agent in its own session and returns the shim's identity. At most once per claim, for any number of callers:
     * the start token decides. The shim receives `owner` and starts a worker if that one is gone when the agent ends.
     */
    readonly start: (claimed: ClaimedTask, owner: ProcessIdentity) => Effect.Effect<ProcessIdentity, SpawnFailed>
    readonly observe: (target: Target) => Effect.Effect<Observation>
    /** Takes the start token itself. True: the agent never started and never will. False: the shim was first. */
    readonly revoke: (claimId: ClaimId) => Effect.Effect<boolean>
    /** Gives the shim its new owner. */
    readonly transferOwnership: (claimId: ClaimId, owner: ProcessIdentity) => Effect.Effect<void>
    /**
     * Bytes the agent printed from `offset` of the file on, at most `limit`. Empty at the end and where nothing was
     * printed. With `before`, the bytes that were read right before `offset` (or their end, or none), it fails with
     * `OutputEmptied` where the file ends before `offset` or holds other bytes there.
     */
    readonly read: (
      claimId: ClaimId,
      stream: StreamName,
      offset: number,
      limit: number,
      before?: Uint8Array
    ) => Effect.Effect<Uint8Array, SpawnFailed | OutputEmptied>
    /**
     * Hands a text to the agent of a claim whose stdin is open: once for each id, however often it is called. Only the owner of
     * the claim may call it. False: the input is at its end, and nothing reaches the agent any more.
     */
    readonly tell: (claimId: ClaimId, id: string, text: string) => Effect.Effect<boolean, SpawnFailed>
    /** Ends the agent's stdin after the messages so far. It can be called again. */
    readonly endInput: (claimId: ClaimId) => Effect.Effect<void, SpawnFailed>
    /** Bytes of a stream in the spool, captured or not. 0 where the size cannot be read. */
    readonly printed: (claimId: ClaimId, stream: StreamName) => Effect.Effect<number>
    /** Returns when something may have changed: own child ended, or at the latest after `withinMs`. */
    readonly pause: (claimId: ClaimId, withinMs: number) => Effect.Effect<void>
    /**
     * A longer `pause`, which also ends soon after the agent prints. It ends early, for no reason, wherever this process
     * would not hear of that, or of the agent's end.
     */
    readonly rest: (claimId: ClaimId, withinMs: number) => Effect.Effect<void>
    /**
     * Ends the whole tree: snapshot, TERM, up to `graceMs`, KILL, sweep by marker. Returns when all of it is really gone
     * with the number of processes ended, or after a bound with `left` above 0.
     */
    readonly stop: (target: Target, graceMs: number) => Effect.Effect<{ readonly ended: number; readonly left: number }>
    /**
     * Stops every process of the task but the shim, which has an exit status to write, parents before their children. Returns
     * once a look finds none that runs, or after a bound with `left` above 0. Again is fine.
     */
    readonly freeze: (target: Target) => Effect.Effect<{ readonly stopped: number; readonly left: number }>
    /** Continues every stopped process of the task, children before their parents. Returns how many there were. */
    readonly thaw: (target: Target) => Effect.Effect<number>
    /** After a normal end: ends what the agent left running (same rules as `stop`) and returns how many there were. */
    readonly sweep: (target: Target, graceMs: number) => Effect.Effect<number>
    /** CPU time used so far by each living process of the task. */
    readonly cpuUse: (target: Target) => Effect.Effect<CpuUse>
    /** Removes the claim's spool directory. Missing is fine. */
    readonly discard: (claimId: ClaimId) => Effect.Effect<void>
    /** Claims that have a spool directory: at most 10,000. */
    readonly spools: Effect.Effect<ReadonlyArray<ClaimId>>
  }
>() {}
