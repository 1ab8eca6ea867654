/** The documentation as a whole: every page can be found, every link leads somewhere, and decisions say what they rest on. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root, sourcesIn } from "./Sources.ts"

const read = (path: string): string => readFileSync(join(root, path), "utf8")

const pagesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...pagesIn("docs"),
  ...pagesIn("examples")
].sort()

/** Targets of the links of a page that are files here, as paths from the root. */
const linksOf = (page: string): ReadonlyArray<string> =>
  Array.from(read(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target)
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .map((target) => posix.join(dirname(page), target.replace(/#.*$/, "")))

const index = "docs/README.md"
const decisions = pages.filter((page) => /^docs\/decisions\/\d/.test(page))

describe("the documentation", () => {
  it("links every page from its index, decisions from theirs", () => {
    assert.isAbove(pages.length, 12)
    const linked = new Set([index, ...linksOf(index), ...linksOf("docs/decisions/README.md")])
    assert.deepStrictEqual(
      pages.filter((page) => !linked.has(page)),
      []
    )
  })

  it("has no link to a file that does not exist", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page).flatMap((target) => (existsSync(join(root, target)) ? [] : [`${page}: ${target}`]))
    )
    assert.deepStrictEqual(broken, [])
  })
})

describe("a decision", () => {
  it("has context, decision, numbers, and when to drop it", () => {
    assert.isAbove(decisions.length, 10)
    const parts = ["**Context.**", "**Decision.**", "**Numbers", "**When to drop it.**"]
    const lacking = decisions.flatMap((page) =>
      parts.filter((part) => !read(page).includes(part)).map((part) => `${page}: ${part}`)
    )
    assert.deepStrictEqual(lacking, [])
  })

  it("has its own number", () => {
    const numbers = decisions.map((page) => page.slice(0, "docs/decisions/0000".length))
    assert.strictEqual(new Set(numbers).size, numbers.length)
  })

  it("exists where a source file names it", () => {
    const named = sourcesIn("src").flatMap(({ path, text }) =>
      Array.from(text.matchAll(/docs\/[\w/-]+\.md/g), ([page]) => ({ path, page }))
    )
    assert.isAbove(named.length, 5)
    assert.deepStrictEqual(
      named.filter(({ page }) => !existsSync(join(root, page))),
      []
    )
  })
})
