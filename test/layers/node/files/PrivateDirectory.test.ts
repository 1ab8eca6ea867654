/** Directories for one owner: made with what is above them, left alone where they are. */
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { closeToOthers, makePrivateDirectory } from "../../../../src/layers/node/files/PrivateDirectory.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-directory-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const modeOf = (path: string) => statSync(path).mode & 0o777

it("makes all that is missing, for the owner alone", () => {
  const deep = join(home, "a", "b", "c")
  makePrivateDirectory(deep)
  for (const path of [deep, join(home, "a", "b"), join(home, "a")]) assert.strictEqual(modeOf(path), 0o700)
})

it("leaves one that is there as it is", () => {
  chmodSync(home, 0o755)
  makePrivateDirectory(home)
  assert.strictEqual(modeOf(home), 0o755)
})

it("refuses a file in the way", () => {
  writeFileSync(join(home, "file"), "")
  assert.throws(() => makePrivateDirectory(join(home, "file")), /EEXIST/)
  assert.throws(() => makePrivateDirectory(join(home, "file", "a", "b")), /ENOTDIR/)
})

it("takes from others the right to change one, and leaves all else", () => {
  for (const [before, after] of [
    [0o777, 0o755],
    [0o775, 0o755],
    [0o722, 0o700],
    [0o700, 0o700],
    [0o750, 0o750]
  ] as const) {
    chmodSync(home, before)
    closeToOthers(home)
    assert.strictEqual(modeOf(home), after)
  }
  chmodSync(home, 0o1777)
  closeToOthers(home)
  assert.strictEqual(statSync(home).mode & 0o7777, 0o1777)
  closeToOthers(join(home, "missing"))
})
