/** `kill -9` of the process that started an agent: the agent goes on, its end is kept, and somebody is called. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { build } from "esbuild"
import { ProcessIdentity } from "../../../../src/domain/worker/Process.ts"
import { Processes } from "../../../../src/services/Processes.ts"
import { Spawner } from "../../../../src/services/Spawner.ts"
import {
  claimOf,
  ended,
  fileWith,
  gone,
  lives,
  script,
  start,
  targetOf,
  textOf,
  until,
  withSpawner
} from "../support.ts"

const agent = "echo begin; while [ ! -e go ]; do sleep 0.02; done; echo 'end 🦊'; exit 4"

/** Runs `starter.ts` in its own node until it has told the identities of the shim and of itself. */
const startElsewhere = (directory: string, bootId: string) =>
  Effect.gen(function* () {
    const entry = join(directory, "starter.mjs")
    yield* Effect.promise(() =>
      build({
        entryPoints: [join(import.meta.dirname, "starter.ts")],
        outfile: entry,
        bundle: true,
        platform: "node",
        format: "esm",
        logLevel: "silent"
      })
    )
    const claimed = claimOf({ directory, bootId, launch: script(agent) })
    fs.writeFileSync(join(directory, "claim.json"), JSON.stringify(claimed))
    const child = spawn(process.execPath, [entry, directory], { stdio: ["ignore", "ignore", "inherit"] })
    yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
    const shim = Schema.decodeUnknownSync(Schema.parseJson(ProcessIdentity))(
      yield* fileWith(join(directory, "shim.json"))
    )
    return { claimed, child, shim }
  })

describe("the owner of an agent", () => {
  it.scopedLive("may be killed: the agent ends without help and the shim starts a worker", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const { child, claimed, shim } = yield* startElsewhere(directory, bootId)
        child.kill("SIGKILL")
        yield* gone(child.pid ?? 0)
        assert.isTrue(yield* lives(shim.pid))
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "Running", process: shim })
        assert.isFalse(yield* spawner.revoke(claimed.claim.claimId))

        fs.writeFileSync(join(directory, "go"), "")
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 4, signal: null })
        assert.strictEqual(yield* textOf(claimed, "stdout"), "begin\nend 🦊\n")
        const called = (yield* fileWith(join(directory, "called"))).split("\n")
        assert.deepStrictEqual(called.slice(0, 3), ["worker", "--on-demand", "--detach"])
        assert.deepStrictEqual(called.slice(3, 6), [`home=${directory}`, "task=", "worker=1"])
        assert.deepStrictEqual(yield* start(claimed), shim)
      })
    )
  )

  it.scopedLive("may be replaced: no worker is called while the new one lives", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const processes = yield* Processes
        const { child, claimed, shim } = yield* startElsewhere(directory, bootId)
        child.kill("SIGKILL")
        yield* until(
          "the owner to be gone",
          Effect.map(lives(child.pid ?? 0), (alive) => !alive)
        )
        yield* spawner.transferOwnership(claimed.claim.claimId, yield* processes.self)
        fs.writeFileSync(join(directory, "go"), "")
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 4, signal: null })
        yield* gone(shim.pid)
        assert.isFalse(fs.existsSync(join(directory, "called")))
      })
    )
  )
})
