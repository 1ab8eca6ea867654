/** What every spawner promises of ends: whole trees, nobody spared dies, and a wait that an end cuts short. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Spawner } from "../../src/services/Spawner.ts"
import { ended, targetOf, until } from "../layers/node/support.ts"
import type { Play, SpawnerSubject } from "../support/spawners.ts"

export const stopContract = ({ name, run }: SpawnerSubject) => {
  describe(`Spawner.stop over ${name}`, () => {
    for (const [last, graceMs, end] of [
      ["stay", 5000, { exitCode: 143, signal: "SIGTERM" }],
      ["defy", 200, { exitCode: 137, signal: "SIGKILL" }]
    ] as const) {
      it.scopedLive(`ends the tree of an agent that would ${last}`, () =>
        run((harness) =>
          Effect.gen(function* () {
            const spawner = yield* Spawner
            const play: Play = { leaves: 2, last }
            const claimed = harness.claim(play)
            const process = yield* spawner.start(claimed, harness.owner)
            yield* harness.play(claimed, play)
            const stopped = yield* spawner.stop(targetOf(claimed, { process }), graceMs)
            assert.deepStrictEqual(stopped, { ended: 3, left: 0 })
            assert.deepInclude(yield* spawner.observe(targetOf(claimed, { process })), {
              _tag: "Exited",
              end,
              process
            })
            assert.deepStrictEqual(yield* spawner.stop(targetOf(claimed, { process }), graceMs), { ended: 0, left: 0 })
            assert.deepStrictEqual(yield* spawner.cpuUse(targetOf(claimed, { process })), [])
          })
        )
      )
    }

    it.scopedLive("freezes a whole tree but its shim, lets it continue, and ends a frozen one", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play: Play = { leaves: 2, last: "stay" }
          const claimed = harness.claim(play)
          const process = yield* spawner.start(claimed, harness.owner)
          const left = yield* harness.play(claimed, play)
          const target = targetOf(claimed, { process })
          assert.deepStrictEqual(yield* spawner.freeze(target), { stopped: 3, left: 0 })
          assert.deepStrictEqual(yield* spawner.freeze(target), { stopped: 3, left: 0 })
          assert.deepStrictEqual((yield* spawner.observe(target))._tag, "Running")
          assert.strictEqual(yield* spawner.thaw(target), 3)
          assert.strictEqual(yield* spawner.thaw(target), 0)
          assert.deepStrictEqual(yield* spawner.freeze({ ...target, spare: left.slice(0, 1) }), { stopped: 2, left: 0 })
          assert.deepStrictEqual(yield* spawner.stop(target, 5000), { ended: 3, left: 0 })
          assert.deepStrictEqual(yield* spawner.freeze(target), { stopped: 0, left: 0 })
        })
      )
    )

    it.scopedLive("has nothing to do where nothing was started", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const target = targetOf(harness.claim({ last: { exit: 0 } }))
          assert.deepStrictEqual(yield* spawner.stop(target, 100), { ended: 0, left: 0 })
          assert.strictEqual(yield* spawner.sweep(target, 100), 0)
          assert.deepStrictEqual(yield* spawner.cpuUse(target), [])
        })
      )
    )

    it.scopedLive("sweeps what a normal end left, and spares whom it must", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { leaves: 3, last: { exit: 0 } }
          const claimed = harness.claim(play)
          yield* spawner.start(claimed, harness.owner)
          const left = yield* harness.play(claimed, play)
          assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
          const spare = left.slice(0, 1)
          assert.strictEqual(yield* spawner.sweep(targetOf(claimed, { spare }), 5000), 2)
          assert.strictEqual(yield* spawner.sweep(targetOf(claimed, { spare }), 5000), 0)
          assert.strictEqual(yield* spawner.sweep(targetOf(claimed), 5000), 1)
          assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
        })
      )
    )

    it.scopedLive("says that a shim is lost, and who of its task survived", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { leaves: 1, last: "stay" } as const
          const claimed = harness.claim(play)
          const process = yield* spawner.start(claimed, harness.owner)
          const left = yield* harness.play(claimed, play)
          const target = targetOf(claimed, { process })
          yield* harness.lose(claimed, process)
          const seen = (survivors: number) =>
            Effect.map(spawner.observe(target), (now) => now._tag === "Lost" && now.survivors === survivors)
          yield* until("one survivor", seen(1))
          assert.deepStrictEqual(yield* spawner.observe({ ...target, spare: left }), { _tag: "Lost", survivors: 0 })
          assert.deepStrictEqual(yield* spawner.stop(target, 5000), { ended: 1, left: 0 })
          yield* until("no survivor", seen(0))
        })
      )
    )

    it.scopedLive("pauses no longer than asked, and an end cuts it short", () =>
      run((harness) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const play = { last: "stay" } as const
          const claimed = harness.claim(play)
          const { claimId } = claimed.claim
          yield* spawner.start(claimed, harness.owner)
          yield* harness.play(claimed, play)
          yield* spawner.transferOwnership(claimId, harness.owner)
          yield* Effect.timeoutFail(
            Effect.forEach([1, 2, 3], () => spawner.pause(claimId, 20)),
            { duration: Duration.seconds(5), onTimeout: () => "it pauses too long" }
          )
          assert.strictEqual((yield* spawner.observe(targetOf(claimed)))._tag, "Running")
          const pausing = yield* Effect.fork(spawner.pause(claimId, 60_000))
          yield* spawner.stop(targetOf(claimed), 5000)
          yield* Effect.timeoutFail(Fiber.join(pausing), {
            duration: Duration.seconds(10),
            onTimeout: () => "the end did not wake it"
          })
        })
      )
    )
  })
}
