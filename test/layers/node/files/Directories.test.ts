/** Which directory a task gets, and what is said of one that is not there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer } from "../../../../src/layers/node/files/Directories.ts"
import { Directories } from "../../../../src/services/Directories.ts"

let base = ""
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "beat-directories-"))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const resolve = (given: string, from: string) =>
  Effect.flatMap(Directories, (directories) => directories.resolve(given, from)).pipe(Effect.provide(layer))

const problem = (given: string, from: string) => Effect.map(Effect.flip(resolve(given, from)), (error) => error.problem)

describe("Directories.resolve", () => {
  it.effect("takes a directory by a path from the current one", () =>
    Effect.gen(function* () {
      mkdirSync(join(base, "sub"))
      assert.strictEqual(yield* resolve("sub", base), join(base, "sub"))
      assert.strictEqual(yield* resolve(".", base), base)
    })
  )

  it.effect("names what is not a directory", () =>
    Effect.gen(function* () {
      writeFileSync(join(base, "file"), "")
      assert.strictEqual(yield* problem("gone", base), `there is no directory ${join(base, "gone")}`)
      assert.strictEqual(yield* problem("file", base), `${join(base, "file")} is not a directory`)
    })
  )

  it.effect("says that the current directory was removed, under the name that the system has for it too", () =>
    Effect.gen(function* () {
      for (const current of [join(base, "gone"), `${join(base, "gone")} (deleted)`]) {
        for (const given of [".", current]) {
          assert.strictEqual(yield* problem(given, current), "the current directory was removed")
        }
      }
    })
  )
})
