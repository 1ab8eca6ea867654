/** docs/regressions.md names a test for each mistake it lists, and those tests are there. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root, sourcesIn } from "./Sources.ts"
import { titlesOf } from "./Titles.ts"

const text = readFileSync(join(root, "docs/regressions.md"), "utf8")
const sections = text.split(/^## /m).slice(1)
const rowsOf = (section: string) => Array.from(section.matchAll(/^\| (\d+) \| (.+) \| (.+) \|$/gm))

/** The contract suites that some test file imports. */
const imported = new Set(
  sourcesIn("test")
    .filter(({ path }) => path.endsWith(".test.ts"))
    .flatMap(({ imports }) => imports.map(({ target }) => target))
)

const isRun = (file: string): boolean => file.endsWith(".test.ts") || imported.has(file)

const titles = new Map<string, ReadonlySet<string>>()
const titlesIn = (file: string): ReadonlySet<string> => {
  const known = titles.get(file) ?? titlesOf(readFileSync(join(root, file), "utf8"))
  titles.set(file, known)
  return known
}

describe("docs/regressions.md", () => {
  for (const section of sections) {
    const title = section.split("\n")[0] ?? ""

    it(`${title}: every row names a test that exists, or says why there is none`, () => {
      const rows = rowsOf(section)
      assert.deepStrictEqual(
        rows.map((row) => Number(row[1])),
        rows.map((_, index) => index + 1)
      )
      for (const [line, , , held = ""] of rows) {
        const named = /^`(test\/[\w./]+)` "(.+)"$/.exec(held)
        if (named === null) assert.match(held, /^not applicable: .{10,}$/, line)
        else {
          const [, file = "", test = ""] = named
          assert.isTrue(existsSync(join(root, file)), line)
          assert.isTrue(isRun(file), line)
          assert.isTrue(titlesIn(file).has(test), line)
        }
      }
    })
  }

  it("lists all that is known", () => {
    assert.deepStrictEqual(
      sections.map((section) => rowsOf(section).length),
      [209, 60, 46]
    )
  })
})

describe("the titles of tests", () => {
  const code = `
    it("plain", () => {})
    it.effect("an effect", () => {})
    it.effect.skipIf(process.platform === "win32")("with a condition", () => {})
    it.each([1, 2])("number %s", () => {})
    test(\`\${kind} is built\`, Effect.void)
    describe("a group", () => { it("in a group", () => {}) })
    it.skip("skipped", () => {})
    it.effect.skip("skipped effect", () => {})
    it.todo("planned")
    it.fails("known to fail", () => {})
    describe.skip("a skipped group", () => { it("in a skipped group", () => {}) })
    describe.todo("a planned group", () => { it("in a planned group", () => {}) })
    const note = "only quoted"
    say("said")
    // it("in a comment", () => {})
  `

  it("are those of tests that run", () => {
    const expected = ["plain", "an effect", "with a condition", "number %s", "{kind} is built", "in a group"]
    const found = Array.from(titlesOf(code), (title) => title.replace("$", ""))
    assert.deepStrictEqual(found, expected)
  })
})
