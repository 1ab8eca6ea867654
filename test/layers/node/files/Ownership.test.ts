/** Whose files may decide what runs as a user. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { foreignFile, otherOwner, untrustedOwner } from "../../../../src/layers/node/files/Ownership.ts"

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

it("refuses a file in a home whose database is another user's, also one that is not there yet", () => {
  const database = join(home, "backbeat.db")
  writeFileSync(database, "")
  assert.isNull(foreignFile(file, database, me))
  assert.match(foreignFile(file, database, user) ?? "", /belongs to .* and you are uid 12345/)
  writeFileSync(file, "{}")
  assert.isNull(foreignFile(file, database, me))
  assert.match(foreignFile(file, database, user) ?? "", /belongs to .* and you are uid 12345/)
})

it("names the owner of another user's file, and none for one that is missing", () => {
  assert.isNull(otherOwner(file, user))
  writeFileSync(file, "")
  assert.isNull(otherOwner(file, me))
  assert.match(otherOwner(file, user) ?? "", new RegExp(`uid ${me}`))
})
