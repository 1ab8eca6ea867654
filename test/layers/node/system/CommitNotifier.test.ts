/** A commit is heard of from the file system, which tells of it before it can be seen. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layer } from "../../../../src/layers/node/system/CommitNotifier.ts"
import { CommitNotifier } from "../../../../src/services/CommitNotifier.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { home, pathsIn } from "../support.ts"

describe("commits", () => {
  it.scopedLive("are looked for again after what may have come before the disk had them", () =>
    Effect.gen(function* () {
      const paths = pathsIn(yield* home)
      const looks = Effect.gen(function* () {
        const commits = yield* CommitNotifier
        // From this look on it is told.
        yield* commits.changed(1)
        for (let commit = 0; commit < 3; commit += 1) {
          fs.appendFileSync(`${paths.database}-wal`, "still on its way")
          // An hour each, where nothing tells any more.
          for (let look = 0; look < 4; look += 1) yield* commits.changed(3_600_000)
        }
        return "seen"
      })
      const seen = looks.pipe(
        Effect.provide(Layer.provide(layer, Layer.succeed(Paths, paths))),
        Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "it is looked for once only" })
      )
      assert.strictEqual(yield* seen, "seen")
    })
  )
})
