/** Identifiers from the system's random source. */
import { createHash, randomBytes, randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ContestId } from "../../../domain/contest/Contest.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { MergeId } from "../../../domain/merge/Merge.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { PipelineId, TaskId } from "../../../domain/task/Task.ts"
import { ClaimId } from "../../../domain/worker/Claim.ts"
import { WorkerId } from "../../../domain/worker/Worker.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Ids } from "../../../services/Ids.ts"

/** Crockford's base 32 without the letters that read like digits; 32 divides 256, so no character is likelier. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const randomText = (length: number): string => {
  let text = ""
  for (const byte of randomBytes(length)) text += alphabet.charAt(byte & 31)
  return text
}

export const layer = Layer.succeed(Ids, {
  task: Effect.sync(() => TaskId.make(randomText(12))),
  pipeline: Effect.sync(() => PipelineId.make(randomText(12))),
  claim: Effect.sync(() => ClaimId.make(randomText(16))),
  worker: Effect.sync(() => WorkerId.make(randomText(16))),
  schedule: Effect.sync(() => ScheduleId.make(randomText(12))),
  workspace: Effect.sync(() => WorkspaceId.make(randomText(12))),
  merge: Effect.sync(() => MergeId.make(randomText(12))),
  loop: Effect.sync(() => LoopId.make(randomText(12))),
  contest: Effect.sync(() => ContestId.make(randomText(12))),
  uuid: Effect.sync(() => randomUUID()),
  digest: (text) => Effect.sync(() => createHash("sha256").update(text, "utf8").digest("hex"))
})
