/** Gates and groups: what people have paused, and how many tasks of a group run at the same time. The claim obeys both. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError } from "../domain/Errors.ts"
import type { Gate, GateScope, Group, Hold } from "../domain/gates/Gate.ts"
import type { GroupName } from "../domain/gates/GroupName.ts"
import type { TaskId } from "../domain/task/Task.ts"

export class Gates extends Context.Tag("backbeat/Gates")<
  Gates,
  {
    /** From the commit on, no task behind it is claimed. A gate that is there already gets the new time and reason. */
    readonly close: (gate: Omit<Gate, "at">) => Effect.Effect<void, StorageError>
    /** False where none was closed, or its time has passed. */
    readonly open: (scope: GateScope, name: string) => Effect.Effect<boolean, StorageError>
    /** Those that are in force now, at most 200, oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<Gate>, StorageError>
    /** What keeps a queued task from being claimed; none where it has ended, runs, or may start. */
    readonly holding: (id: TaskId) => Effect.Effect<Option.Option<Hold>, StorageError>
    /** Running tasks that have to be frozen, and stay so until the gate opens, at most 1000. */
    readonly freezing: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Running tasks that a person has paused and that have to be parked, at most 1000. */
    readonly pausing: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Removes the gates of tasks and pipelines that have ended. One whose time has passed holds nothing, and stays for a clock that is set back. */
    readonly tidy: Effect.Effect<void, StorageError>
    /** At most 1000, by name. */
    readonly groups: Effect.Effect<ReadonlyArray<Group>, StorageError>
    readonly hasGroup: (name: GroupName) => Effect.Effect<boolean, StorageError>
    /** Makes the group if it is not there. `null`: the group has no limit. Tasks that run continue. */
    readonly setGroup: (name: GroupName, limit: number | null) => Effect.Effect<void, StorageError>
    /** `busy`: a task of it is queued or running, and it stays. */
    readonly removeGroup: (name: GroupName) => Effect.Effect<"removed" | "missing" | "busy", StorageError>
  }
>() {}
