/** What every spawner promises of starts: once per claim, with everything the agent prints and how it ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { ClaimId } from "../../src/domain/worker/Claim.ts"
import { Spawner } from "../../src/services/Spawner.ts"
import { ended, targetOf, textOf } from "../layers/node/support.ts"
import type { SpawnerSubject } from "../support/spawners.ts"

export const startContract = ({ name, run }: SpawnerSubject) => {
  describe(`Spawner.start over ${name}`, () => {
    it.scopedLive("starts, shows the running agent, and tells its end", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { stdout: "out", stderr: "err", last: "stay" } as const
          const claimed = harness.claim(play)
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "NotStarted" })
          const process = yield* spawner.start(claimed, harness.owner)
          yield* harness.play(claimed, play)
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "Running", process })
          assert.deepStrictEqual(yield* spawner.spools, [claimed.claim.claimId])
          yield* spawner.stop(targetOf(claimed), 5000)
          const end = { exitCode: 143, signal: "SIGTERM" }
          const seen = yield* spawner.observe(targetOf(claimed))
          assert.deepInclude(seen, { _tag: "Exited", end, process })
          assert.isNumber(seen._tag === "Exited" ? seen.endedAt : null)
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), seen)
          yield* spawner.discard(claimed.claim.claimId)
          yield* spawner.discard(claimed.claim.claimId)
          assert.deepStrictEqual(yield* spawner.spools, [])
          assert.strictEqual(yield* textOf(claimed, "stdout"), "")
        })
      )
    )

    for (const [last, end] of [
      [{ exit: 0 }, { exitCode: 0, signal: null }],
      [{ exit: 3 }, { exitCode: 3, signal: null }],
      [{ signal: "KILL" }, { exitCode: 137, signal: "SIGKILL" }],
      [{ signal: "TERM" }, { exitCode: 143, signal: "SIGTERM" }]
    ] as const) {
      it.scopedLive(`reads the end and all output of an agent that does ${JSON.stringify(last)}`, () =>
        run((harness) =>
          Effect.gen(function* () {
            const spawner = yield* Spawner
            const play = { stdout: "one 🎉 two", stderr: "oops", last }
            const claimed = harness.claim(play)
            yield* spawner.start(claimed, harness.owner)
            yield* harness.play(claimed, play)
            assert.deepStrictEqual(yield* ended(claimed), end)
            assert.strictEqual(yield* textOf(claimed, "stdout"), "one 🎉 two")
            assert.strictEqual(yield* textOf(claimed, "stderr"), "oops")
          })
        )
      )
    }

    it.scopedLive("reads from an offset up to a limit, and nothing at the end or where nothing was", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { stdout: "0123456789", last: { exit: 0 } }
          const claimed = harness.claim(play)
          const { claimId } = claimed.claim
          yield* spawner.start(claimed, harness.owner)
          yield* harness.play(claimed, play)
          yield* ended(claimed)
          const read = (stream: "stdout" | "stderr", offset: number, limit: number) =>
            Effect.map(spawner.read(claimId, stream, offset, limit), (bytes) => new TextDecoder().decode(bytes))
          assert.strictEqual(yield* read("stdout", 2, 3), "234")
          assert.strictEqual(yield* read("stdout", 8, 100), "89")
          assert.strictEqual(yield* read("stdout", 10, 100), "")
          assert.strictEqual(yield* read("stdout", 99, 100), "")
          assert.strictEqual(yield* read("stderr", 0, 100), "")
          assert.strictEqual(yield* spawner.printed(claimId, "stdout"), 10)
          assert.strictEqual(yield* spawner.printed(ClaimId.make("0".repeat(16)), "stdout"), 0)
          assert.lengthOf(yield* spawner.read(ClaimId.make("0".repeat(16)), "stdout", 0, 10), 0)
        })
      )
    )

    it.scopedLive("starts a claim once, however many processes ask and however often", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { stdout: "once;", last: "stay" } as const
          const claimed = harness.claim(play)
          const first = yield* spawner.start(claimed, harness.owner)
          yield* harness.play(claimed, play)
          const again = yield* Effect.forEach([1, 2], () => spawner.start(claimed, harness.owner), { concurrency: 2 })
          assert.deepStrictEqual(again, [first, first])
          assert.strictEqual(yield* textOf(claimed, "stdout"), "once;")
          yield* spawner.stop(targetOf(claimed), 5000)
          assert.deepStrictEqual(yield* spawner.start(claimed, harness.owner), first)
          assert.strictEqual(yield* textOf(claimed, "stdout"), "once;")
        })
      )
    )

    it.scopedLive("never starts what was revoked", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const claimed = harness.claim({ stdout: "never", last: { exit: 0 } })
          assert.isTrue(yield* spawner.revoke(claimed.claim.claimId))
          const error = yield* Effect.flip(spawner.start(claimed, harness.owner))
          assert.strictEqual(error._tag, "SpawnFailed")
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "NotStarted" })
          assert.isTrue(yield* spawner.revoke(claimed.claim.claimId))
          assert.strictEqual(yield* textOf(claimed, "stdout"), "")
          yield* spawner.discard(claimed.claim.claimId)
          assert.deepStrictEqual(yield* spawner.spools, [])
        })
      )
    )

    it.scopedLive("cannot be revoked after the start", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { last: "stay" } as const
          const claimed = harness.claim(play)
          yield* spawner.start(claimed, harness.owner)
          yield* harness.play(claimed, play)
          assert.isFalse(yield* spawner.revoke(claimed.claim.claimId))
          assert.strictEqual((yield* spawner.observe(targetOf(claimed)))._tag, "Running")
          yield* spawner.stop(targetOf(claimed), 5000)
          assert.isFalse(yield* spawner.revoke(claimed.claim.claimId))
        })
      )
    )

    it.scopedLive("lets either the start or the revoke win, never both", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          for (let round = 0; round < 3; round += 1) {
            const claimed = harness.claim({ last: { exit: 0 } })
            const [start, revoked] = yield* Effect.all(
              [Effect.either(spawner.start(claimed, harness.owner)), spawner.revoke(claimed.claim.claimId)],
              { concurrency: "unbounded" }
            )
            assert.strictEqual(revoked, Either.isLeft(start))
          }
        })
      )
    )

    it.scopedLive("fails with a reason and runs nothing", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const claimed = yield* harness.broken
          const error = yield* Effect.flip(spawner.start(claimed, harness.owner))
          assert.strictEqual(error.reason, "program-missing")
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "NotStarted" })
        })
      )
    )
  })
}
