/** Failpoints: read strictly, counted, and deadly to their own process. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failpointsOf, parseFailpoints } from "../../../../src/layers/node/system/Failpoints.ts"
import { failpoint } from "../../../../src/services/Failpoints.ts"
import { root } from "../../../architecture/Sources.ts"
import { temporaryDirectory } from "../../../support/home.ts"

describe("failpoints", () => {
  it("are named with the time at which they are reached", () => {
    const parsed = parseFailpoints("finish.commit:kill@3, start.spawned:kill,create-pipeline.commit:kill@1,nonsense")
    assert.deepStrictEqual(
      [...parsed],
      [
        ["finish.commit", 3],
        ["start.spawned", 1],
        ["create-pipeline.commit", 1]
      ]
    )
  })

  it("are none where the variable is not set", () => {
    assert.isNull(failpointsOf(undefined))
    assert.isNull(failpointsOf("nonsense"))
  })

  it.effect("are passed where nothing is to happen", () =>
    Effect.gen(function* () {
      yield* failpoint("finish.commit")
      const at = failpointsOf("finish.commit:kill@3")
      assert.isNotNull(at)
      yield* at?.("finish.commit") ?? Effect.void
      yield* at?.("claim.commit") ?? Effect.void
      yield* at?.("finish.commit") ?? Effect.void
    })
  )

  it.scopedLive("kill before the commit: nothing is stored; after it: everything is", () =>
    Effect.gen(function* () {
      const home = yield* temporaryDirectory
      const beat = (args: ReadonlyArray<string>, failpoints?: string) =>
        spawnSync(process.execPath, [join(root, "dist", "beat.cjs"), ...args], {
          encoding: "utf8",
          env: {
            PATH: process.env.PATH ?? "",
            HOME: home,
            BACKBEAT_HOME: join(home, "state"),
            BACKBEAT_IDLE_MS: "0",
            ...(failpoints === undefined ? {} : { BACKBEAT_FAILPOINTS: failpoints })
          }
        })
      const count = (): number => JSON.parse(beat(["list", "--json"]).stdout).tasks.length
      const submit = (failpoints: string) =>
        beat(["run", "-a", "shell", "--not-before", "1h", "--", "true"], failpoints)
      const before = submit("enqueue.commit:kill")
      assert.strictEqual(before.signal, "SIGKILL")
      assert.include(before.stderr, "failpoint enqueue.commit\n")
      assert.strictEqual(count(), 0)
      assert.strictEqual(submit("enqueue.committed:kill").signal, "SIGKILL")
      assert.strictEqual(count(), 1)
    })
  )
})
