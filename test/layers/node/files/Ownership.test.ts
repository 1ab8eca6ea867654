/** Whose files may decide what runs as a user. */
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { untrustedOwner } from "../../../../src/layers/node/files/Ownership.ts"

let home = ""
let file = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-owner-"))
  file = join(home, "config.json")
  writeFileSync(file, "{}")
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const me = process.geteuid?.() ?? 0

it("trusts what is the user's, and what is not there", () => {
  assert.isNull(untrustedOwner(file))
  assert.isNull(untrustedOwner(file, me))
  assert.isNull(untrustedOwner(join(home, "missing"), 12_345))
})

it.skipIf(me !== 0)("trusts root, refuses another user, and lets root trust the owner of a home", () => {
  const user = 12_345
  const other = 23_456
  assert.isNull(untrustedOwner(file, user))
  chownSync(file, other, other)
  assert.match(untrustedOwner(file, user) ?? "", /belongs to uid 23456 and you are uid 12345/)
  assert.match(untrustedOwner(file, 0) ?? "", /belongs to uid 23456/)
  chownSync(home, other, other)
  assert.isNull(untrustedOwner(file, 0))
  assert.isNotNull(untrustedOwner(file, user))
})
