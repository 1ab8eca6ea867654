/** A skipped test is a failure in CI unless test/skips.json explains it. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { afterAll, assert, describe, it } from "vitest"
import { root } from "./Sources.ts"

const Skips = Schema.Struct({
  skips: Schema.Array(
    Schema.Struct({
      file: Schema.String,
      test: Schema.NonEmptyString,
      when: Schema.Struct({
        missing: Schema.optional(Schema.String),
        mount: Schema.optional(Schema.Boolean),
        node: Schema.optional(Schema.Int),
        root: Schema.optional(Schema.Boolean)
      }),
      reason: Schema.NonEmptyString
    })
  )
})
type Skip = (typeof Skips.Type)["skips"][number]

const scratch = mkdtempSync(join(tmpdir(), "beat-test-skips-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** What CI makes of one test with this status. */
const count = (status: string, skips: ReadonlyArray<Skip>, fileStatus = "passed") => {
  const results = join(scratch, "results.json")
  const list = join(scratch, "skips.json")
  const assertionResults = status === "none" ? [] : [{ fullName: "beat waits for an end", status }]
  const name = join(root, "test/x.test.ts")
  writeFileSync(results, JSON.stringify({ testResults: [{ name, status: fileStatus, assertionResults }] }))
  writeFileSync(list, JSON.stringify({ skips }))
  const { stderr, stdout } = spawnSync(process.execPath, [join(root, ".ci/results.mjs"), results, list], {
    encoding: "utf8"
  })
  return { counts: stdout.trim(), said: stderr.trim() }
}

const skip = (when: Skip["when"], test = "waits for"): Skip => ({ file: "test/x.test.ts", test, when, reason: "why" })

describe("the count of a test run", () => {
  it("has what passed and what failed", () => {
    assert.strictEqual(count("passed", []).counts, "1 0")
    assert.strictEqual(count("failed", [], "failed").counts, "0 1")
  })

  it("has a file that failed before its first test", () => {
    assert.strictEqual(count("none", [], "failed").counts, "0 1")
  })

  it("takes a skip without a reason for a failure, and names it", () => {
    for (const status of ["skipped", "pending", "todo"]) {
      const { counts, said } = count(status, [skip({}, "another test")])
      assert.strictEqual(counts, "0 1", status)
      assert.include(said, "beat waits for an end")
    }
  })

  it("accepts a skip only on the machine that its reason speaks of", () => {
    assert.strictEqual(count("skipped", [skip({})]).counts, "0 0")
    assert.strictEqual(count("skipped", [skip({ missing: "no-such-command" })]).counts, "0 0")
    assert.strictEqual(count("skipped", [skip({ missing: "sh" })]).counts, "0 1")
    assert.strictEqual(count("skipped", [skip({ node: 1 })]).counts, "0 0")
    assert.strictEqual(count("skipped", [skip({ node: 999 })]).counts, "0 1")
    assert.strictEqual(count("skipped", [skip({ root: process.getuid?.() !== 0 })]).counts, "0 1")
  })
})

describe("test/skips.json", () => {
  it("names files that skip something", () => {
    const { skips } = Schema.decodeUnknownSync(Schema.parseJson(Skips), { onExcessProperty: "error" })(
      readFileSync(join(root, "test/skips.json"), "utf8")
    )
    for (const { file, test } of skips) assert.include(readFileSync(join(root, file), "utf8"), "skipIf(", test)
  })
})
