/** The time in which a question is open does not count for the timeout, and no other time is taken for it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { TaskId } from "../../../src/domain/task/Task.ts"
import { ClaimId, newClaim } from "../../../src/domain/worker/Claim.ts"
import * as Host from "../../../src/layers/memory/fakes/Host.ts"
import { makeAskWatch } from "../../../src/programs/questions/AskWatch.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { workerA } from "../../support/tasks.ts"

const claim = newClaim({
  taskId: TaskId.make("000000000001"),
  claimId: ClaimId.make("0000000000000001"),
  workerId: workerA,
  bootId: "boot-1",
  claimedAt: 0,
  uptimeMs: 0,
  sinceBootMs: 0,
  timeoutMs: 3_600_000,
  boundMs: null
})

describe("a question of a task that was silent for a minute", () => {
  it.effect("is open from the look that finds it, and its timeout is moved until the look that finds the answer", () =>
    Effect.gen(function* () {
      let moved = 0
      const postpone = (_: unknown, milliseconds: number) =>
        Effect.sync(() => {
          moved += milliseconds
          return claim
        })
      const watching = Effect.gen(function* () {
        const asks = yield* Ref.make(false)
        const look = yield* makeAskWatch({ claimId: claim.claimId, workerId: workerA }, asks)
        const lookAfter = (milliseconds: number, open: boolean) =>
          TestClock.adjust(milliseconds).pipe(
            Effect.zipRight(Ref.set(asks, open)),
            Effect.zipRight(look(claim)),
            Effect.map(({ openMs }) => [openMs, moved])
          )
        assert.deepStrictEqual(yield* lookAfter(60_000, true), [0, 0])
        assert.deepStrictEqual(yield* lookAfter(2000, true), [2000, 0])
        assert.deepStrictEqual(yield* lookAfter(4000, true), [6000, 6000])
        assert.deepStrictEqual(yield* lookAfter(1500, false), [null, 7500])
        assert.deepStrictEqual(yield* lookAfter(60_000, false), [null, 7500])
      })
      yield* Effect.provide(watching, Layer.mock(WorkerRegistry, { postpone }))
    }).pipe(Effect.provide(Host.layer))
  )
})
