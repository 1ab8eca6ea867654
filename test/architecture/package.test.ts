/** What installing Backbeat brings along. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { root } from "./Sources.ts"

const Versions = Schema.Record({ key: Schema.String, value: Schema.String })
const Manifest = Schema.parseJson(
  Schema.Struct({ version: Schema.String, dependencies: Versions, devDependencies: Versions })
)
const read = (name: string): string => readFileSync(join(root, name), "utf8")

describe("package.json", () => {
  const manifest = Schema.decodeUnknownSync(Manifest)(read("package.json"))

  it("brings one package at run time: the rest is in the bundles", () => {
    assert.deepStrictEqual(Object.keys(manifest.dependencies), ["better-sqlite3"])
  })

  it("names exact versions", () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)
    )
    assert.deepStrictEqual(loose, [])
  })

  it("has its version in the changelog", () => {
    assert.include(read("CHANGELOG.md"), `## [${manifest.version}]`)
  })
})

describe("the lockfile", () => {
  const Entry = Schema.Struct({ optionalDependencies: Schema.optional(Versions) })
  const Lockfile = Schema.parseJson(Schema.Struct({ packages: Schema.Record({ key: Schema.String, value: Entry }) }))

  it("works with any registry", () => {
    assert.notInclude(read("package-lock.json"), '"resolved"')
  })

  // A registry that carries only some platforms makes npm leave entries out, and then `npm ci` refuses the file elsewhere.
  it("has an entry for the packages of every platform", () => {
    const { packages } = Schema.decodeUnknownSync(Lockfile)(read("package-lock.json"))
    const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)))
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    assert.deepStrictEqual(
      wanted.filter((name) => !names.has(name)),
      [],
      "npm install has dropped these: put their entries back from the committed package-lock.json"
    )
  })
})
