/** The mutations fit the source of today, and the product contains none of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { root, sourcesIn } from "../../architecture/Sources.ts"
import { applyPatch, mutations } from "./mutations.ts"

const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

describe("the mutations", () => {
  for (const { name, patches } of mutations) {
    it(`${name}: every patch matches exactly once and changes something`, () => {
      for (const patch of patches) assert.notStrictEqual(applyPatch(textOf(patch.file), patch), textOf(patch.file))
    })
  }

  it("are patches with a single line to find", () => {
    for (const { name, patches } of mutations) {
      assert.isNotEmpty(patches, name)
      for (const { find } of patches) assert.notInclude(find, "\n", name)
    }
  })

  it("have different names", () => {
    assert.strictEqual(new Set(mutations.map(({ name }) => name)).size, mutations.length)
  })

  it("are refused where the text to find is missing or repeated", () => {
    const patch = { file: "a.ts", find: "b", replace: "c" }
    assert.strictEqual(applyPatch("abd", patch), "acd")
    assert.throws(() => applyPatch("a", patch), "exactly one")
    assert.throws(() => applyPatch("abb", patch), "exactly one")
  })

  it("name a promise that the torture run checks", () => {
    const checks = sourcesIn("src/torture").map(({ text }) => text)
    for (const { name, promise } of mutations) {
      assert.isTrue(
        checks.some((text) => text.includes(`"${promise}"`)),
        `${name}: ${promise}`
      )
    }
  })
})

describe("the product", () => {
  const switches = /\bmutated\(|BACKBEAT_MUTATION/

  it("has no switch for a broken promise in its source", () => {
    const found = sourcesIn("src").filter(
      ({ text }) => switches.test(text) || mutations.some(({ name }) => text.includes(`"${name}"`))
    )
    assert.deepStrictEqual(
      found.map(({ path }) => path),
      []
    )
  })

  it("has none in its bundles", () => {
    const dist = join(root, "dist")
    assert.isTrue(existsSync(dist), "run: npm run build")
    const found = readdirSync(dist)
      .filter((file) => file.endsWith(".cjs"))
      .filter((file) => {
        const text = textOf(join("dist", file))
        return (
          switches.test(text) ||
          mutations.some(({ name }) => text.includes(`"${name}"`)) ||
          text.includes("DROP TRIGGER")
        )
      })
    assert.deepStrictEqual(found, [])
  })
})
