/** The reader of a log: the last lines over all files, and what follows while the log is put aside. */
import { appendFileSync, copyFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { makeLogReader } from "../../src/cli/readLog.entry.ts"
import { shiftLogs } from "../../src/layers/node/system/rotateLog.ts"

describe("the reader of a log", () => {
  let directory = ""
  let file = ""
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "beat-log-"))
    file = join(directory, "worker.log")
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it("gives the last lines, also of files that were put aside, and no part of one", () => {
    writeFileSync(`${file}.2`, "1\n2\n")
    writeFileSync(`${file}.1`, "3\n4\n")
    writeFileSync(file, "5\n6 ö\n7 unfin")
    const last = (lines: number) => makeLogReader(file).last(lines)
    assert.deepStrictEqual(last(1), ["6 ö"])
    assert.deepStrictEqual(last(3), ["4", "5", "6 ö"])
    assert.deepStrictEqual(last(100), ["1", "2", "3", "4", "5", "6 ö"])
    assert.deepStrictEqual(last(0), [])
  })

  it("waits for a log that is not there yet", () => {
    const reader = makeLogReader(file)
    assert.isFalse(reader.exists())
    assert.deepStrictEqual([reader.last(5), reader.next()], [[], []])
    writeFileSync(file, "1\n")
    assert.isTrue(reader.exists())
    assert.deepStrictEqual([reader.next(), reader.next()], [["1"], []])
  })

  it("gives each line once, when it is whole", () => {
    writeFileSync(file, "1\n2\n")
    const reader = makeLogReader(file)
    assert.deepStrictEqual(reader.last(1), ["2"])
    const bytes = Buffer.from("3 ö\n4\n5")
    appendFileSync(file, bytes.subarray(0, 3))
    assert.deepStrictEqual(reader.next(), [])
    appendFileSync(file, bytes.subarray(3))
    assert.deepStrictEqual(reader.next(), ["3 ö", "4"])
    appendFileSync(file, "\n")
    assert.deepStrictEqual([reader.next(), reader.next()], [["5"], []])
  })

  it("loses no line where the log is renamed, or copied and emptied", () => {
    writeFileSync(file, "1\n2\n")
    const reader = makeLogReader(file)
    reader.last(10)
    appendFileSync(file, "3\n")
    renameSync(file, `${file}.1`)
    writeFileSync(file, "4\n")
    assert.deepStrictEqual(reader.next(), ["3", "4"])
    appendFileSync(file, "5\n6\n")
    shiftLogs(file)
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
    appendFileSync(file, "7\n")
    assert.deepStrictEqual(reader.next(), ["5", "6", "7"])
    appendFileSync(file, "8\n")
    assert.deepStrictEqual(reader.next(), ["8"])
    truncateSync(file)
    appendFileSync(file, "9\n")
    assert.deepStrictEqual(reader.next(), ["9"])
  })
})
