/** docs/regressions.md names a test for each mistake it lists, and those tests are there. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "./Sources.ts"

const text = readFileSync(join(root, "docs/regressions.md"), "utf8")
const sections = text.split(/^## /m).slice(1)
const rowsOf = (section: string) => Array.from(section.matchAll(/^\| (\d+) \| (.+) \| (.+) \|$/gm))

/** The words right after `it(` and its like, or a name that such a call is given: whatever is quoted in the file. */
const quoted = (file: string, title: string) =>
  ["`", '"'].some((mark) => readFileSync(join(root, file), "utf8").includes(`${mark}${title}${mark}`))

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
          assert.isTrue(quoted(file, test), line)
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
