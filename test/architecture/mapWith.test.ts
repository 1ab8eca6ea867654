/** What the build puts in the place of Effect's copies of a context: the same entries, without a copy. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { mapWith, mapWithAll } from "../../build/map-with.mjs"

const key = fc.constantFrom("span", "scope", "a", "b", "c", "d")

describe("a map with one more entry", () => {
  it("is read like a copy with that entry, however many are added", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.integer())),
        fc.array(fc.tuple(key, fc.integer()), { maxLength: 12 }),
        (first, added) => {
          const copy = new Map(first)
          let shared: ReadonlyMap<string, number> = new Map(first)
          const before: Array<readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>]> = []
          for (const [name, value] of added) {
            before.push([shared, new Map(copy)])
            copy.set(name, value)
            shared = mapWith(shared, name, value)
          }
          for (const [made, expected] of [...before, [shared, copy] as const]) {
            for (const name of ["span", "scope", "a", "b", "c", "d", "none"]) {
              assert.strictEqual(made.get(name), expected.get(name))
              assert.strictEqual(made.has(name), expected.has(name))
            }
            assert.strictEqual(made.size, expected.size)
            // As Effect copies and compares them. The order of services means nothing.
            assert.deepStrictEqual(new Map(made), new Map(expected))
            assert.deepStrictEqual(new Set(made.keys()), new Set(expected.keys()))
            const told = new Map<string, number>()
            made.forEach((value, name) => {
              told.set(name, value)
            })
            assert.deepStrictEqual(told, new Map(expected))
          }
        }
      )
    )
  })

  it("is merged with another one like copies are", () => {
    const entries = fc.array(fc.tuple(key, fc.integer()), { maxLength: 5 })
    fc.assert(
      fc.property(entries, entries, key, (first, second, name) => {
        const base = mapWith(new Map(first), name, 0)
        const merged = mapWithAll(base, new Map(second))
        assert.deepStrictEqual(new Map(merged), new Map([...first, [name, 0], ...second]))
        assert.deepStrictEqual(new Map(base), new Map([...first, [name, 0]]))
      })
    )
  })
})
