/** Whose files may decide what runs as a user. */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { untrustedOwner } from "../../../../src/layers/node/files/Ownership.ts"

let home = ""
let file = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-owner-"))
  file = join(home, "config.json")
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const me = process.geteuid?.() ?? 0

const user = 12_345
const other = 23_456

it("trusts what is the user's, and root's, and refuses another user's", () => {
  assert.isNull(untrustedOwner(file, me))
  assert.isNull(untrustedOwner(file, user, user))
  assert.isNull(untrustedOwner(file, 0, user))
  assert.match(untrustedOwner(file, other, user) ?? "", /belongs to uid 23456 and you are uid 12345/)
})

it("lets root trust what the owner of a home has put into it, and nothing else", () => {
  assert.match(untrustedOwner(file, other, 0) ?? "", /belongs to uid 23456/)
  assert.isNull(untrustedOwner(file, statSync(home).uid, 0))
})
