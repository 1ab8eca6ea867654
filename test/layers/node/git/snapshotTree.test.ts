/** A snapshot of the files of a repository, taken by a copy of its index. */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import { snapshotTree } from "../../../../src/layers/node/git/SealWorkspace.ts"
import { gitIn, makeRepository, writeIn } from "../../../support/repository.ts"

const secondOf = (path: string) => Math.floor(statSync(path).mtimeMs / 1000)
const untilNextSecond = () => sleep(1000 - (Date.now() % 1000) + 5)

/** A repository whose file has changed in the second in which its index was written, and has kept its size. */
const changedWithinTheSecond = async (directory: string): Promise<string> => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const home = join(directory, String(attempt))
    makeRepository(home, { "a.txt": "one\n" })
    await untilNextSecond()
    writeIn(home, { "a.txt": "two\n" })
    gitIn(home, "add", "a.txt")
    writeIn(home, { "a.txt": "six\n" })
    if (secondOf(join(home, "a.txt")) === secondOf(join(home, ".git", "index"))) return home
  }
  throw new Error("this machine is too slow to write two files within a second")
}

describe("a snapshot", () => {
  it("has a change that was made in the second in which the index was written, and that kept the size of the file", async () => {
    const directory = mkdtempSync(join(tmpdir(), "beat-test-"))
    try {
      const home = await changedWithinTheSecond(directory)
      await untilNextSecond()
      const commit = await Effect.runPromise(snapshotTree(home, join(directory, "index"), Date.now()))
      assert.strictEqual(gitIn(home, "show", `${commit}:a.txt`), "six")
      assert.strictEqual(gitIn(home, "show", ":a.txt"), "two")
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
