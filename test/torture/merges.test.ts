/** The checks of merges and reclaims: what they let pass, and what they report of a repository that is between two states. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { type MergeStep, mergeProblems } from "../../src/torture/checks/MergeCheck.ts"
import { type PlacedWorkspace, reclaimProblems } from "../../src/torture/checks/ReclaimCheck.ts"
import { git } from "../../src/torture/load/Repository.ts"
import {
  leftoversIn,
  makeShop,
  mergedFiles,
  type ShopState,
  shopState,
  treeFiles
} from "../../src/torture/load/Shop.ts"

const files = (given: Readonly<Record<string, string>>) => new Map(Object.entries(given))

const from = files({ a: "a1", b: "b1", c: "c1" })
const to = files({ a: "a2", c: "c1", d: "d2" })
/** `c` is changed, `u` is not tracked. */
const before: ShopState = {
  head: "one",
  names: "main",
  index: from,
  files: files({ a: "a1", b: "b1", c: "mine", u: "u" })
}
const merged: ShopState = {
  head: "two",
  names: "main",
  index: to,
  files: files({ a: "a2", c: "mine", d: "d2", u: "u" })
}

const step: MergeStep = {
  before,
  after: merged,
  from,
  to,
  now: to,
  parents: ["one"],
  back: null,
  told: "done",
  mayRefuse: false,
  stored: { state: "merged", merged: "two" }
}
const unmoved: MergeStep = {
  ...step,
  after: before,
  now: from,
  told: "killed",
  stored: { state: "refused", merged: "two" }
}
const undone: MergeStep = {
  ...step,
  before: merged,
  after: before,
  from: to,
  to: from,
  now: from,
  back: "one",
  stored: { state: "undone", merged: "two" }
}

describe("the check of merges", () => {
  it("passes a merge that is whole, one that changed nothing, and an undo", () => {
    assert.isEmpty(mergeProblems(step))
    assert.isEmpty(mergeProblems({ ...step, told: "killed" }))
    assert.isEmpty(mergeProblems(unmoved))
    assert.isEmpty(mergeProblems({ ...unmoved, told: "refused", to: null, stored: null }))
    assert.isEmpty(mergeProblems({ ...unmoved, told: "refused", mayRefuse: true }))
    assert.isEmpty(mergeProblems({ ...unmoved, told: "done", to: from, stored: null }))
    assert.isEmpty(mergeProblems(undone))
    assert.isEmpty(
      mergeProblems({ ...undone, after: merged, now: to, told: "killed", stored: { state: "merged", merged: "two" } })
    )
  })

  const torn = (more: Readonly<Record<string, string>>): ShopState => ({
    ...before,
    files: new Map([...before.files, ...files(more)])
  })
  const cases: ReadonlyArray<readonly [string, MergeStep]> = [
    ["a file of the merge where the branch has not moved", { ...unmoved, after: torn({ a: "a2" }) }],
    ["a new file that is left behind", { ...unmoved, after: torn({ d: "d2" }) }],
    ["a change of the user that is gone", { ...step, after: { ...merged, files: to } }],
    ["a change of the user that is gone where nothing was merged", { ...unmoved, after: torn({ c: "c1" }) }],
    ["an index that is ahead of the branch", { ...unmoved, after: { ...before, index: to } }],
    ["a branch that is ahead of its files", { ...step, after: { ...merged, files: before.files } }],
    [
      "a deleted file that is still there",
      { ...step, after: { ...merged, files: new Map([...merged.files, ["b", "b1"]]) } }
    ],
    ["a commit on top of another", { ...step, parents: ["zero"] }],
    ["a commit with other contents", { ...step, now: from }],
    ["another branch that has moved", { ...step, after: { ...merged, names: "other" } }],
    ["a conflict that moved the branch", { ...step, to: null }],
    ["a record that says less", { ...step, stored: { state: "refused", merged: "two" } }],
    ["a record that says more", { ...unmoved, stored: { state: "merged", merged: "two" } }],
    ["a merge that is still open", { ...unmoved, stored: { state: "applying", merged: "two" } }],
    ["an answer that is not true", { ...unmoved, told: "done" }],
    ["a refusal that is not true", { ...step, told: "refused" }],
    ["a refusal without a reason", { ...unmoved, told: "refused" }],
    [
      "an undo that put the files back and not the branch",
      { ...undone, after: { ...merged, files: before.files, index: from }, now: to }
    ],
    ["an undo to another commit", { ...undone, back: "zero" }]
  ]
  for (const [what, given] of cases) it(`reports ${what}`, () => assert.isNotEmpty(mergeProblems(given)))
})

const placed: PlacedWorkspace = {
  what: "reclaim",
  told: "done",
  state: "trashed",
  isThere: false,
  isInTrash: true,
  late: "late",
  lateFiles: files({ late: "l" }),
  seals: new Map([["t", true]]),
  sealed: from,
  found: null
}
const restored: PlacedWorkspace = {
  ...placed,
  what: "restore",
  state: "ready",
  isThere: true,
  isInTrash: false,
  late: null,
  found: new Map([...from, ["more", "m"]])
}

describe("the check of reclaims", () => {
  it("passes what is in the trash, what is gone, what was refused and what came back", () => {
    assert.isEmpty(reclaimProblems(placed))
    assert.isEmpty(reclaimProblems({ ...placed, state: "gone", isInTrash: false }))
    assert.isEmpty(reclaimProblems({ ...placed, told: "refused", state: "ready", isThere: true, isInTrash: false }))
    assert.isEmpty(reclaimProblems(restored))
  })

  const cases: ReadonlyArray<readonly [string, PlacedWorkspace]> = [
    ["a commit that is not in the repository", { ...placed, seals: new Map([["t", false]]) }],
    ["a file that came late and is in no commit", { ...placed, lateFiles: null }],
    ["files that are nowhere", { ...placed, isInTrash: false }],
    ["disk space that is not given back", { ...placed, state: "gone", isThere: true }],
    ["a record of files that are gone", { ...placed, told: "refused", state: "ready" }],
    ["a reclaim that has no end", { ...placed, state: "reclaiming", isThere: true }],
    ["an answer that is not true", { ...placed, state: "ready", isThere: true }],
    ["a file that did not come back", { ...restored, found: files({ a: "a1" }) }],
    ["a file that came back otherwise", { ...restored, found: files({ ...Object.fromEntries(from), a: "a2" }) }]
  ]
  for (const [what, given] of cases) it(`reports ${what}`, () => assert.isNotEmpty(reclaimProblems(given)))
})

describe("the repository that merges change", () => {
  const scratch = mkdtempSync(join(tmpdir(), "beat-test-shop-"))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  it("is read by plain git: what is staged, changed and untracked, what a merge would give, and what is left over", () => {
    const shop = makeShop(join(scratch, "shop"))
    if (shop === null) throw new Error("no git")
    const first = shopState(shop)
    assert.isTrue(first.files.has("untracked") && !first.index.has("untracked"))
    assert.notStrictEqual(first.files.get("mine"), first.index.get("mine"))
    assert.notStrictEqual(first.index.get("staged"), treeFiles(shop, "HEAD")?.get("staged"))
    assert.deepStrictEqual(shopState(shop), first)
    writeFileSync(join(shop, "d0/f0"), "other\n")
    assert.notDeepEqual(shopState(shop), first)
    git(shop, "checkout", "-q", "--", "d0/f0")
    assert.deepStrictEqual(shopState(shop), first)
    const base = treeFiles(shop, "HEAD")
    assert.deepStrictEqual(mergedFiles(shop, "HEAD", "other"), base)
    assert.isNull(treeFiles(shop, "nothing"))
    assert.deepStrictEqual(leftoversIn(shop), [])
    writeFileSync(join(shop, ".git", "refs", "heads", "main.lock"), "")
    writeFileSync(join(shop, ".git", "MERGE_HEAD"), "")
    assert.sameMembers(Array.from(leftoversIn(shop)), ["refs/heads/main.lock", "MERGE_HEAD"])
  })
})
