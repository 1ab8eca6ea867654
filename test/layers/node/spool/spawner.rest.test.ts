/** A silent agent is left alone, and what it prints at last is heard of without looking. */
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Spawner } from "../../../../src/services/Spawner.ts"
import { claimOf, script, start, targetOf, textOf, withSpawner } from "../support.ts"

const wait = (file: string) => `while [ ! -e ${file} ]; do sleep 0.02; done`
const agent = `${wait("print")}; echo at last; ${wait("end")}`

/** Rests as long as it takes for `seen` to be true: an hour where nothing is heard. */
const restsUntil = (claimId: Parameters<Spawner["Type"]["rest"]>[0], seen: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const spawner = yield* Spawner
    while (!(yield* seen)) yield* spawner.rest(claimId, 3_600_000)
  }).pipe(Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "it rests too long" }))

describe("a rest", () => {
  it.scopedLive("ends when the agent prints, and when it ends", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({ directory, bootId, launch: script(agent) })
        const { claimId } = claimed.claim
        const process = yield* start(claimed)
        const printed = Effect.map(spawner.printed(claimId, "stdout"), (size) => size > 0)
        const printing = yield* Effect.fork(restsUntil(claimId, printed))
        fs.writeFileSync(join(directory, "print"), "")
        yield* Fiber.join(printing)
        assert.strictEqual(yield* textOf(claimed, "stdout"), "at last\n")

        const over = Effect.map(spawner.observe(targetOf(claimed, { process })), ({ _tag }) => _tag === "Exited")
        const ending = yield* Effect.fork(restsUntil(claimId, over))
        fs.writeFileSync(join(directory, "end"), "")
        yield* Fiber.join(ending)
      })
    )
  )

  it.scopedLive("is short where another process started the agent", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({ directory, bootId, launch: script("true") })
        yield* spawner
          .rest(claimed.claim.claimId, 3_600_000)
          .pipe(Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "it rests too long" }))
      })
    )
  )
})
