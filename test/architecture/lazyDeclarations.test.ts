/** What the build makes of declarations that are built from schemas: the same values, made at their first use. */
import { assert, describe, it } from "@effect/vitest"
import { transformSync } from "esbuild"
import { lazyDeclarations } from "../../build/lazy/lazyDeclarations.mjs"

/** Runs modules of a small program, with a `Schema` that records what is constructed, and returns the exports of the first. */
const program = (files: Readonly<Record<string, string>>) => {
  const made: Array<string> = []
  const texts = lazyDeclarations(new Map(Object.entries(files).map(([name, text]) => [`/src/${name}.ts`, text])), [])
  const loaded = new Map<string, Record<string, unknown>>()
  const load = (specifier: string): unknown => {
    if (specifier === "effect/Schema") {
      return {
        of: (name: string) => {
          made.push(name)
          return { name, fields: { a: 1, b: 2 } }
        },
        Class: (name: string) => {
          made.push(name)
          return class {
            readonly name = name
          }
        }
      }
    }
    if (specifier.endsWith("once.mjs")) {
      const once = (make: () => unknown) => {
        let value: unknown
        return () => (value ??= make())
      }
      return { once }
    }
    const file = specifier.replace("./", "/src/")
    const known = loaded.get(file)
    if (known !== undefined) return known
    const exported = {}
    loaded.set(file, exported)
    const { code } = transformSync(texts.get(file) ?? "", { loader: "ts", format: "cjs" })
    new Function("require", "module", code)(load, {
      set exports(value: object) {
        Object.defineProperties(exported, Object.getOwnPropertyDescriptors(value))
      }
    })
    return exported
  }
  const [first = ""] = Object.keys(files)
  load(`./${first}.ts`)
  const result: Record<string, unknown> = loaded.get(`/src/${first}.ts`) ?? {}
  return { made, result, texts, run: () => (typeof result.run === "function" ? result.run() : assert.fail("no run")) }
}

const schemas = `import * as Schema from "effect/Schema"
export const Id = Schema.of("Id")
export const plain = 1
export class Gone extends Schema.Class("Gone") {}
export const { a: first, ...others } = Id.fields
`

describe("declarations that are built from schemas", () => {
  it("are made at their first use and not before, and only once", () => {
    const { made, run } = program({
      main: `import { Id } from "./schemas.ts"\nexport const run = () => [Id, Id]`,
      schemas
    })
    assert.deepStrictEqual(made, [])
    const [one, other] = run()
    assert.strictEqual(one, other)
    assert.deepStrictEqual(made, ["Id"])
  })

  it("wait where they are built from one that waits, through modules, names and namespaces", () => {
    const { made, run } = program({
      main: `import * as Middle from "./middle.ts"\nexport const run = () => [Middle.both.Id.name, Middle.Key.name]`,
      middle: `import { Id } from "./schemas.ts"\nexport { Id as Key } from "./schemas.ts"\nexport const both = { Id }`,
      schemas
    })
    assert.deepStrictEqual(made, [])
    assert.deepStrictEqual(run(), ["Id", "Id"])
  })

  it("are constructed, destructured and shadowed as in the source", () => {
    const { made, run } = program({
      main: `import { first, Gone, Id, others, plain } from "./schemas.ts"
import * as All from "./schemas.ts"
export const run = () => {
  const inner = (Id: number) => ({ Id })
  const thrown = new Gone()
  return [
    thrown instanceof Gone, new All.Gone().name, typeof new Gone().name.length, inner(5).Id, { Id: 7 }.Id, first, others.b, plain
  ]
}`,
      schemas
    })
    assert.deepStrictEqual(made, [])
    assert.deepStrictEqual(run(), [true, "Gone", "number", 5, 7, 1, 2, 1])
  })

  it("keep their form where a module is loaded by import() or handed on whole", () => {
    const { texts } = program({
      main: `import * as Whole from "./whole.ts"\nexport const list = [Whole]\nexport const run = () => import("./later.ts")`,
      whole: `import * as Schema from "effect/Schema"\nexport const Id = Schema.of("Id")`,
      later: `import * as Schema from "effect/Schema"\nexport const Id = Schema.of("Id")\nconst own = Schema.of("own")`
    })
    assert.include(texts.get("/src/whole.ts"), "export const Id = Schema")
    assert.include(texts.get("/src/later.ts"), "export const Id = Schema")
    assert.notInclude(texts.get("/src/later.ts"), "const own = Schema")
  })

  it("stay on their lines", () => {
    const { texts } = program({ main: `${schemas}\nexport const run = () => Id`, schemas })
    for (const text of texts.values()) assert.notInclude(text, "undefined")
    assert.strictEqual(texts.get("/src/schemas.ts")?.split("\n").length, schemas.split("\n").length)
  })
})
