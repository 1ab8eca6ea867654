/** Random identifiers and digests, as a service so that tests own them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ContestId } from "../domain/contest/Contest.ts"
import type { LoopId } from "../domain/loop/LoopId.ts"
import type { MergeId } from "../domain/merge/Merge.ts"
import type { ScheduleId } from "../domain/schedule/ScheduleId.ts"
import type { PipelineId, TaskId } from "../domain/task/Task.ts"
import type { ClaimId } from "../domain/worker/Claim.ts"
import type { WorkerId } from "../domain/worker/Worker.ts"
import type { WorkspaceId } from "../domain/workspace/WorkspaceId.ts"

export class Ids extends Context.Tag("backbeat/Ids")<
  Ids,
  {
    readonly task: Effect.Effect<TaskId>
    readonly pipeline: Effect.Effect<PipelineId>
    readonly claim: Effect.Effect<ClaimId>
    readonly worker: Effect.Effect<WorkerId>
    readonly schedule: Effect.Effect<ScheduleId>
    readonly workspace: Effect.Effect<WorkspaceId>
    readonly merge: Effect.Effect<MergeId>
    readonly loop: Effect.Effect<LoopId>
    readonly contest: Effect.Effect<ContestId>
    readonly uuid: Effect.Effect<string>
    /** SHA-256 of a text, in hex. */
    readonly digest: (text: string) => Effect.Effect<string>
  }
>() {}
