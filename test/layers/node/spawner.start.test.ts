/** Starting agents through the shim: what they get, what they leave, and that they run once. */
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Processes } from "../../../src/services/Processes.ts"
import { Spawner } from "../../../src/services/Spawner.ts"
import { claimOf, ended, home, layerIn, lives, targetOf, textOf, until } from "./support.ts"

const script = (text: string, ...args: ReadonlyArray<string>) => ({
  file: "/bin/sh",
  args: ["-c", text, "sh", ...args]
})

const withSpawner = <A, E>(
  body: (context: { readonly directory: string; readonly bootId: string }) => Effect.Effect<A, E, Spawner | Processes>
) =>
  Effect.gen(function* () {
    const directory = yield* home
    return yield* Effect.gen(function* () {
      const processes = yield* Processes
      return yield* body({ directory, bootId: yield* processes.bootId })
    }).pipe(Effect.provide(layerIn(directory)))
  })

const start = (claim: Parameters<Spawner["Type"]["start"]>[0]) =>
  Effect.gen(function* () {
    const spawner = yield* Spawner
    const processes = yield* Processes
    return yield* spawner.start(claim, yield* processes.self)
  })

describe("Spawner.start", () => {
  for (const [text, end] of [
    ["exit 0", { exitCode: 0, signal: null }],
    ["exit 3", { exitCode: 3, signal: null }],
    ["kill -KILL $$", { exitCode: 137, signal: "SIGKILL" }],
    ["kill -TERM $$", { exitCode: 143, signal: "SIGTERM" }],
    ["kill -INT $$", { exitCode: 130, signal: "SIGINT" }],
    ["exit 144", { exitCode: 144, signal: null }],
    ["exit 244", { exitCode: 244, signal: null }]
  ] as const) {
    it.scopedLive(`tells the end of: ${text}`, () =>
      withSpawner(({ directory, bootId }) =>
        Effect.gen(function* () {
          const claim = claimOf({ directory, bootId, launch: script(text) })
          yield* start(claim)
          assert.deepStrictEqual(yield* ended(claim), end)
        })
      )
    )
  }

  it.scopedLive("shows a running agent under the shim's identity, and its output as it comes", () =>
    withSpawner(({ directory, bootId }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const processes = yield* Processes
        const claim = claimOf({
          directory,
          bootId,
          launch: script("echo first; while [ ! -e go ]; do sleep 0.02; done; echo last; echo oops >&2")
        })
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claim)), { _tag: "NotStarted" })
        const process = yield* start(claim)
        assert.isTrue(yield* processes.alive(process))
        assert.isFalse(yield* processes.alive({ ...process, startTime: `${Number(process.startTime) - 1}` }))
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claim)), { _tag: "Running", process })
        yield* until(
          "first line",
          Effect.map(textOf(claim, "stdout"), (text) => text === "first\n")
        )
        fs.writeFileSync(join(directory, "go"), "")
        assert.deepStrictEqual(yield* ended(claim), { exitCode: 0, signal: null })
        assert.strictEqual(yield* textOf(claim, "stdout"), "first\nlast\n")
        assert.strictEqual(yield* textOf(claim, "stderr"), "oops\n")
        yield* until(
          "the shim to leave",
          Effect.map(lives(process.pid), (alive) => !alive)
        )
        yield* spawner.discard(claim.worker.claimId)
        assert.deepStrictEqual(yield* spawner.spools, [])
      })
    )
  )
})
