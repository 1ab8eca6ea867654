/** Logs that have grown: five are kept, the newest with the lowest number. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { maxLogBytes, rotateLog } from "../../../../src/layers/node/system/rotateLog.ts"

describe("a log", () => {
  it("is put aside once it is too large, and at most five are kept", () => {
    const directory = mkdtempSync(join(tmpdir(), "beat-log-"))
    const log = join(directory, "worker.log")
    try {
      rotateLog(log)
      writeFileSync(log, "small")
      rotateLog(log)
      assert.isFalse(existsSync(`${log}.1`))
      for (const name of ["a", "b", "c", "d", "e", "f", "g"]) {
        writeFileSync(log, name.repeat(maxLogBytes + 1))
        rotateLog(log)
        assert.isFalse(existsSync(log))
      }
      const kept = [1, 2, 3, 4, 5].map((at) => readFileSync(`${log}.${at}`, "utf8").slice(0, 1))
      assert.deepStrictEqual(kept, ["g", "f", "e", "d", "c"])
      assert.isFalse(existsSync(`${log}.6`))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
