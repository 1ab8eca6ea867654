/** Identifiers in a fixed sequence, so that a test repeats exactly. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { ContestId } from "../../../domain/contest/Contest.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { MergeId } from "../../../domain/merge/Merge.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import { PipelineId, TaskId } from "../../../domain/task/Task.ts"
import { ClaimId } from "../../../domain/worker/Claim.ts"
import { WorkerId } from "../../../domain/worker/Worker.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Ids } from "../../../services/Ids.ts"

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

/** Spreads a counter over all characters without ever repeating: the factor is odd, so it permutes the numbers. */
const spread = (count: number, characters: number): string => {
  const bits = BigInt(characters * 5)
  let rest = BigInt.asUintN(Number(bits), BigInt(count) * 0x9e3779b97f4a7c15f39cc0605cedc835n)
  let text = ""
  for (let index = 0; index < characters; index += 1) {
    text = `${crockford[Number(rest % 32n)] ?? "0"}${text}`
    rest /= 32n
  }
  return text
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** Deterministic ids: each build starts the same sequence. The digest is the real one. */
export const layerTest = Layer.effect(
  Ids,
  Effect.map(Ref.make(0), (counter) => {
    const next = Ref.updateAndGet(counter, (count) => count + 1)
    return Ids.of({
      task: Effect.map(next, (count) => TaskId.make(spread(count, 12))),
      pipeline: Effect.map(next, (count) => PipelineId.make(spread(count, 12))),
      claim: Effect.map(next, (count) => ClaimId.make(spread(count, 16))),
      worker: Effect.map(next, (count) => WorkerId.make(spread(count, 16))),
      schedule: Effect.map(next, (count) => ScheduleId.make(spread(count, 12))),
      workspace: Effect.map(next, (count) => WorkspaceId.make(spread(count, 12))),
      merge: Effect.map(next, (count) => MergeId.make(spread(count, 12))),
      loop: Effect.map(next, (count) => LoopId.make(spread(count, 12))),
      contest: Effect.map(next, (count) => ContestId.make(spread(count, 12))),
      uuid: Effect.map(next, (count) => `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`),
      digest: (text) =>
        Effect.map(
          Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
          hex
        )
    })
  })
)
