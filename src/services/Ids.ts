/** Random identifiers and digests, as a service so that tests own them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RuntimeId } from "../domain/Runtime.ts"
import type { ScheduleId } from "../domain/ScheduleId.ts"
import type { PipelineId, TaskId } from "../domain/Task.ts"
import type { ClaimId } from "../domain/Worker.ts"

export class Ids extends Context.Tag("backbeat/Ids")<
  Ids,
  {
    readonly task: Effect.Effect<TaskId>
    readonly pipeline: Effect.Effect<PipelineId>
    readonly claim: Effect.Effect<ClaimId>
    readonly runtime: Effect.Effect<RuntimeId>
    readonly schedule: Effect.Effect<ScheduleId>
    readonly uuid: Effect.Effect<string>
    /** SHA-256 of a text, in hex. */
    readonly digest: (text: string) => Effect.Effect<string>
  }
>() {}
