/** Wakes: tasks that wait for what they delegated, without an agent, a process or a place. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError, TaskNotFound } from "../domain/Errors.ts"
import type { GroupId } from "../domain/GroupId.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { Wake, WakeMode, WakeRefused } from "../domain/wake/Wake.ts"
import type { ClaimId } from "../domain/worker/Claim.ts"

export interface WakeRequest {
  /** The task whose agent asks. */
  readonly taskId: TaskId
  /** No task and no group: all that it delegated and that has not ended. */
  readonly ids: ReadonlyArray<TaskId>
  readonly groups: ReadonlyArray<GroupId>
  readonly mode: WakeMode
  readonly askedBy: Wake["askedBy"]
}

export class Wakes extends Context.Tag("backbeat/Wakes")<
  Wakes,
  {
    /**
     * Notes that the running task is to wait for these when its agent has ended its turn. A second request of the same run
     * replaces the first. What has ended is left out.
     */
    readonly ask: (request: WakeRequest) => Effect.Effect<Wake, WakeRefused | TaskNotFound | StorageError>
    /** What the run of this claim has asked for. */
    readonly askedIn: (claim: ClaimId) => Effect.Effect<Option.Option<Wake>, StorageError>
    /** The wake that this claim carries out. */
    readonly wokenIn: (claim: ClaimId) => Effect.Effect<Option.Option<Wake>, StorageError>
    /** The session that the newest wake of a task was to continue in; null where there is none. */
    readonly sessionOf: (task: TaskId) => Effect.Effect<string | null, StorageError>
  }
>() {}
