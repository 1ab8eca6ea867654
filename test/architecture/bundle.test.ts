/** What the built files contain, read from the build's own account of them. */
import { existsSync, readFileSync, statSync } from "node:fs"
import { builtinModules } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { root } from "./Sources.ts"

/** What only a worker needs. A command that reads or writes rows never pays for it. */
const workerOnly: ReadonlyArray<RegExp> = [
  /^src\/programs\/worker\/(pool|supervise|capture|conclude|evidence|retryWhileStorageFails)\b/,
  /^src\/layers\/(Full\.ts|agents\/AgentsJudging\.ts)$/,
  /^src\/layers\/node\/(spool\/(Spawner|Shim|ShimStart)|process\/TreeEnding)\b/,
  /^src\/layers\/memory\//
]

/** The harness that kills everything: in a bundle of its own, and in no other. */
const tortureOnly: ReadonlyArray<RegExp> = [/^src\/torture\//]

/** Packages that cost a start dearly and that nothing here needs. */
const unwanted: ReadonlyArray<RegExp> = [
  /node_modules\/(undici|ws|@parcel\/watcher|msgpackr|mime|multipasta)\//,
  /node_modules\/@effect\/(cluster|workflow|rpc|ai)\//
]

/** The light bundle is read at every command: its size is start-up time. */
const mostBytes = 800_000

const Metafile = Schema.parseJson(
  Schema.Struct({
    outputs: Schema.Record({
      key: Schema.String,
      value: Schema.Struct({
        bytes: Schema.Number,
        inputs: Schema.Record({ key: Schema.String, value: Schema.Struct({ bytesInOutput: Schema.Number }) }),
        imports: Schema.Array(Schema.Struct({ path: Schema.String, external: Schema.optional(Schema.Boolean) }))
      })
    })
  })
)

const outputOf = (name: string) => {
  const path = join(root, "dist", `${name}.meta.json`)
  assert.isTrue(existsSync(path), `dist/${name}.meta.json is missing: run 'npm run build'`)
  const { outputs } = Schema.decodeUnknownSync(Metafile)(readFileSync(path, "utf8"))
  const output = outputs[`dist/${name}.cjs`]
  if (output === undefined) return assert.fail(`dist/${name}.cjs is not in its metafile`)
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { ...output, files: inputs.map(([file]) => file) }
}

const matching = (files: ReadonlyArray<string>, patterns: ReadonlyArray<RegExp>) =>
  files.filter((file) => patterns.some((pattern) => pattern.test(file)))

/** Our own files that the light bundle loads when a command needs them. */
const loadedApart = [
  "./yaml.cjs",
  "./chrono.cjs",
  "./pipeline-schema.cjs",
  "./editors.cjs",
  "./service.cjs",
  "./completion.cjs"
]

const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))

describe("the bundle of the light commands", () => {
  it("has no worker pool in it", () => {
    assert.deepStrictEqual(matching(outputOf("cli").files, workerOnly), [])
  })

  it("leaves to a file apart what few commands need", () => {
    assert.deepStrictEqual(
      matching(outputOf("cli").files, [/node_modules\/(yaml|chrono-node|jsonc-parser|smol-toml|toml-eslint-parser)\//]),
      []
    )
    for (const path of loadedApart) assert.isTrue(existsSync(join(root, "dist", path)), path)
  })

  it("stays small", () => {
    assert.isBelow(outputOf("cli").bytes, mostBytes)
  })
})

describe("every bundle", () => {
  for (const name of ["cli", "worker", "mcp", "torture"]) {
    it(`${name}: loads nothing from outside but Node's own modules and the native one`, () => {
      const outside = outputOf(name).imports.filter(
        ({ external, path }) => external === true && !builtin.has(path) && !loadedApart.includes(path)
      )
      const names = new Set(outside.map(({ path }) => path.split("/")[0] ?? path))
      assert.isTrue(
        [...names].every((module) => module === "better-sqlite3"),
        [...names].join(", ")
      )
    })

    it(`${name}: has no package in it that only costs time`, () => {
      assert.deepStrictEqual(matching(outputOf(name).files, unwanted), [])
    })
  }

  it("but its own has nothing of the torture run in it", () => {
    for (const name of ["cli", "worker", "mcp"]) {
      assert.deepStrictEqual(matching(outputOf(name).files, tortureOnly), [], name)
    }
    assert.isNotEmpty(matching(outputOf("torture").files, tortureOnly))
  })

  it("contains the worker pool where it is needed", () => {
    assert.isNotEmpty(matching(outputOf("worker").files, workerOnly))
  })

  it("is started by an executable file", () => {
    const { mode } = statSync(join(root, "dist", "beat.cjs"))
    assert.strictEqual(mode & 0o111, 0o111)
    assert.match(readFileSync(join(root, "dist", "beat.cjs"), "utf8"), /^#!\/usr\/bin\/env node\n/)
  })
})
