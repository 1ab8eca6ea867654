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
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)
    )
    assert.deepStrictEqual(loose, [])
  })

  it("has its version in the changelog", () => {
    assert.include(read("CHANGELOG.md"), `## [${manifest.version}]`)
  })
})

it("the lockfile works with any registry", () => {
  assert.notInclude(read("package-lock.json"), '"resolved"')
})
