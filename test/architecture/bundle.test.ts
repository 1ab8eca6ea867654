/** What the built files contain, read from the build's own account of them. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { builtinModules, createRequire } from "node:module"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { root } from "./Sources.ts"

/** What only a worker needs. A command that reads or writes rows never pays for it. */
const workerOnly: ReadonlyArray<RegExp> = [
  /^src\/programs\/worker\/(Pool|TaskLife|followAgent|capture|judgeExit|recordEnd|readEvidence)\b/,
  /^src\/programs\/serving\/WorkerPool\.ts$/,
  /^src\/layers\/(Full\.ts|agents\/AgentsJudging\.ts)$/,
  /^src\/layers\/node\/(spool\/(Spawner|Shim|ShimStart)|process\/TreeEnding)\b/,
  /^src\/layers\/memory\//
]

/** The harness that kills everything: in its own bundle, and in no other. */
const tortureOnly: ReadonlyArray<RegExp> = [/^src\/torture\//]

/** What answers requests of browsers. */
const webOnly: ReadonlyArray<RegExp> = [
  /^src\/(web|layers\/node\/web)\//,
  /node_modules\/@effect\/platform\/.*(HttpApi|HttpRouter|HttpServer)/
]
/** The live screen: likewise. */
const topOnly: ReadonlyArray<RegExp> = [/^src\/cli\/top\//, /^src\/programs\/top\//]

/** What is read for monitoring, and for the search after a cause. */
const observeOnly: ReadonlyArray<RegExp> = [/^src\/programs\/metrics\//]

/** Packages that cost a start dearly and that nothing here needs. */
const unwanted: ReadonlyArray<RegExp> = [
  /node_modules\/@effect\/printer(-ansi)?\//,
  /node_modules\/(undici|ws|@parcel\/watcher|msgpackr|mime|multipasta)\//,
  /node_modules\/@effect\/(cluster|workflow|rpc|ai)\//
]

/** Effect's HTTP server reads bodies of several parts with it, and asks for it by name. */
const ofBodies = /node_modules\/multipasta\//

/** The bundle of the light commands: its size is start-up time. */
const mostBytes = 1_268_000

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

/** Our own files that a bundle loads when it needs them. */
const loadedApart = [
  "./json-schema.cjs",
  "./yaml.cjs",
  "./chrono.cjs",
  "./pipeline-schema.cjs",
  "./editors.cjs",
  "./service.cjs",
  "./graphs.cjs",
  "./skill.cjs",
  "./plan.cjs",
  "./completion.cjs",
  "./prices.cjs",
  "./hooks.cjs",
  "./traces.cjs",
  "./trace-statement.cjs",
  "./web-page.cjs",
  "./tables.cjs"
]

/** The files that a script of the page loads before it runs. */
const importsOf = (script: string): ReadonlyArray<string> =>
  Array.from(script.matchAll(/(?:from|import)"\.(\/[\w.-]+)"/g), ([, path = ""]) => path)

const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))

describe("the bundle of the light commands", () => {
  it("has no worker pool in it", () => {
    assert.deepStrictEqual(matching(outputOf("cli").files, workerOnly), [])
  })

  it("has no web server in it", () => {
    assert.deepStrictEqual(matching(outputOf("cli").files, webOnly), [])
    assert.isNotEmpty(matching(outputOf("web").files, webOnly))
  })

  it("makes no spans and no connections", () => {
    const { files, imports } = outputOf("cli")
    assert.deepStrictEqual(matching(files, [/^src\/domain\/traces\/(Otlp|traceBody)\.ts$/, /opentelemetry/]), [])
    const network = /^(node:)?(http|https|http2|net|tls)$/
    assert.deepStrictEqual(
      imports.filter(({ path }) => network.test(path)),
      []
    )
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

describe("the page of beat web", () => {
  const { assets } = createRequire(import.meta.url)(join(root, "dist", "web-page.cjs"))
  const packed = (path: string): number => gzipSync(assets[path].body, { level: 9 }).length
  const paths: ReadonlyArray<string> = Object.keys(assets)

  it("is small: what is drawn first takes 30 KB, and all of it 80 KB, compressed", () => {
    const first = ["/", "/app.css", "/app.js", ...importsOf(assets["/app.js"].body)]
    const sum = (names: ReadonlyArray<string>) => names.reduce((total, path) => total + packed(path), 0)
    assert.isBelow(sum(first), 30_000, first.join(" "))
    assert.isBelow(sum(paths), 80_000)
  })

  it("loads nothing from elsewhere", () => {
    for (const path of paths) {
      assert.notMatch(assets[path].body.replaceAll("http://www.w3.org/", ""), /https?:\/\//, path)
    }
  })

  it("puts no text in as markup", () => {
    const sources = readdirSync(join(root, "src/web/client")).filter((name) => /\.tsx?$/.test(name))
    for (const name of sources) {
      const text = readFileSync(join(root, "src/web/client", name), "utf8")
      assert.notMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/, name)
    }
  })
})

describe("every bundle", () => {
  for (const name of ["cli", "worker", "mcp", "torture", "web", "top", "observe"]) {
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
      const found = matching(outputOf(name).files, unwanted)
      assert.deepStrictEqual(name === "web" ? found.filter((file) => !ofBodies.test(file)) : found, [])
    })
  }

  it("but its own has nothing of the torture run in it", () => {
    for (const name of ["cli", "worker", "mcp", "top"]) {
      assert.deepStrictEqual(matching(outputOf(name).files, tortureOnly), [], name)
    }
    assert.isNotEmpty(matching(outputOf("torture").files, tortureOnly))
  })

  it("but its own has nothing of the live screen in it, and the live screen no worker pool", () => {
    for (const name of ["cli", "worker", "mcp", "torture"]) {
      assert.deepStrictEqual(matching(outputOf(name).files, topOnly), [], name)
    }
    assert.isNotEmpty(matching(outputOf("top").files, topOnly))
    assert.deepStrictEqual(matching(outputOf("top").files, workerOnly), [])
  })

  it("but its own has nothing of the metrics in it, and the metrics no worker pool", () => {
    for (const name of ["cli", "worker", "mcp", "torture", "top"]) {
      assert.deepStrictEqual(matching(outputOf(name).files, observeOnly), [], name)
    }
    assert.isNotEmpty(matching(outputOf("observe").files, observeOnly))
    assert.deepStrictEqual(matching(outputOf("observe").files, workerOnly), [])
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
