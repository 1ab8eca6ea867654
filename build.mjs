/** Builds dist/: one minified CommonJS file per entry with its metafile, and the bootstrap that picks among them. */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { bootstrap } from "./build/bootstrap.mjs"
import { lazyDeclarations } from "./build/lazy/lazyDeclarations.mjs"
import { lazyBuiltins } from "./build/lazy-builtins.mjs"
import { loaded } from "./build/loaded.mjs"
import { mutant } from "./build/mutant.mjs"
import { sharedContext } from "./build/shared-context.mjs"
import { webPage } from "./build/web-page.mjs"

const root = new URL("./", import.meta.url)
const at = (path) => fileURLToPath(new URL(path, root))
/**
 * `node build.mjs --mutation NAME DIRECTORY` builds a program with one broken promise; an empty NAME breaks none.
 * `node build.mjs --dev DIRECTORY` builds one whose code can be read: names, lines and stacks are those of the source.
 */
const [flag, ...rest] = process.argv.slice(2)
const isMutant = flag === "--mutation"
const isDev = flag === "--dev"
const mutation = isMutant ? (rest[0] ?? "") : ""
const dist = isMutant ? (rest[1] ?? "dist-mutant") : isDev ? (rest[0] ?? "dist-dev") : "dist"
const mutating = mutation === "" ? null : await mutant(mutation)
const { version } = JSON.parse(await readFile(at("package.json"), "utf8"))

const entries = {
  cli: "src/cli.ts",
  worker: "src/cli/worker.entry.ts",
  mcp: "src/mcp.ts",
  torture: "src/cli/torture.entry.ts",
  // No part of a torture run, and so not of a mutant.
  ...(isMutant ? {} : { web: "src/cli/web.entry.ts", top: "src/cli/top.entry.ts", observe: "src/cli/observe.entry.ts" })
}

/** better-sqlite3's JavaScript is bundled: fourteen files fewer to find at the start. Only its `.node` file stays outside. */
const nativeModule = {
  name: "native-module",
  setup(builder) {
    builder.onResolve({ filter: /^bindings$/ }, () => ({ path: at("build/native-module.cjs") }))
    builder.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }))
  }
}

/** What the MCP SDK has for every platform and we for none: a third of its size. */
const mcpShims = {
  name: "mcp-shims",
  setup(builder) {
    builder.onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, () => ({
      path: at("build/mcp-shims.mjs")
    }))
  }
}

/** Clients and sockets of Effect's HTTP server, of which the web server uses none: a third of its size. */
const webShims = {
  name: "web-shims",
  setup(builder) {
    builder.onResolve({ filter: /^(ws|undici)$/ }, () => ({ path: at("build/no-sockets.mjs") }))
  }
}

/**
 * @effect/cli prints help and asks questions through a layout library. Our help is written by cli/framework/HelpText.ts, and no option
 * asks a question. Remove this when the library loads its prompts apart.
 */
const noPrinter = {
  name: "no-printer",
  setup(builder) {
    builder.onResolve({ filter: /^@effect\/printer(-ansi)?\// }, () => ({ path: at("build/no-printer.mjs") }))
  }
}

/** What few commands need, in a file of its own that is loaded by them alone. */
const apart = {
  yaml: { module: "yaml", entry: "node_modules/yaml/dist/index.js" },
  // Only a worker with a pipeline step that has a schema for its answer.
  "json-schema": {
    module: "@cfworker/json-schema",
    entry: "node_modules/@cfworker/json-schema/dist/commonjs/index.js"
  },
  editors: { module: "\\./clients/Editors\\.ts", entry: "src/programs/setup/clients/Editors.ts" },
  completion: {
    module: "\\.\\./\\.\\./framework/CompletionScripts\\.ts",
    entry: "src/cli/framework/CompletionScripts.ts"
  },
  // The library that writes Mermaid and DOT.
  graphs: { module: "\\.\\./\\.\\./output/GraphFormats\\.ts", entry: "src/cli/output/GraphFormats.ts" },
  plan: { module: "\\.\\./\\.\\./text/PlanText\\.ts", entry: "src/text/PlanText.ts" },
  skill: { module: "\\.\\./\\.\\./text/skillText\\.ts", entry: "src/text/skillText.ts" },
  service: { module: "\\./ServiceFile\\.ts", entry: "src/programs/setup/ServiceFile.ts" },
  // The list prices, which only a worker asks for, and only where an agent tells no cost.
  prices: { module: "\\./priceTable\\.ts", entry: "src/layers/usage/priceTable.ts" },
  // What brings messages to hooks: few processes send one.
  hooks: { module: "\\./sendParcel\\.ts", entry: "src/layers/node/hooks/sendParcel.ts" },
  // What makes spans of the record: only where a hook exports them.
  "trace-statement": { module: "\\./traceStatement\\.ts", entry: "src/layers/sql/hooks/traceStatement.ts" },
  traces: { module: "\\.\\./.*/traces/traceBody\\.ts", entry: "src/domain/traces/traceBody.ts" },
  chrono: { module: "chrono-node/en", entry: "node_modules/chrono-node/dist/cjs/locales/en/index.js" }
}
const loadedApart = {
  name: "loaded-apart",
  setup(builder) {
    // Made at the build: what makes it weighs more than the schema.
    builder.onResolve({ filter: /\/pipelines\/FileSchemas\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./pipeline-schema.cjs", external: true } : null
    )
    builder.onResolve({ filter: /\/web\/Page\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./web-page.cjs", external: true } : null
    )
    for (const [name, { module }] of Object.entries(apart)) {
      builder.onResolve({ filter: new RegExp(`^${module}$`) }, () => ({ path: `./${name}.cjs`, external: true }))
    }
  }
}

/**
 * What Effect does at load and none of our processes needs. Utils asks whether a function of its own is in a stack, so that it can be
 * seen in one: V8 always answers that it is, and to answer it parses the whole bundle again. The logger asks whether stdout is a
 * terminal, for a format that we do not use, and Node loads all its modules for streams. Remove each when Effect no longer does it.
 */
const atLoad = [
  [/[\\/]Utils\.js$/, /standard\.effect_internal_function\(\(\) => new Error\(\)\.stack\)[^;]*=== true/, "true"],
  [/[\\/]internal[\\/]logger\.js$/, /typeof process\.stdout === "object" && process\.stdout !== null/, "true"],
  [/[\\/]internal[\\/]logger\.js$/, /hasProcessStdout && process\.stdout\.isTTY === true/, "false"]
]
const leanAtLoad = {
  name: "lean-at-load",
  setup(builder) {
    builder.onLoad(
      { filter: /[\\/]effect[\\/]dist[\\/]esm[\\/](Utils|internal[\\/]logger)\.js$/ },
      async ({ path }) => {
        const contents = atLoad
          .filter(([file]) => file.test(path))
          .reduce(
            (text, [, asked, answer]) => {
              if (!asked.test(text)) throw new Error(`${path}: no ${asked} at load any more`)
              return text.replace(asked, answer)
            },
            await readFile(path, "utf8")
          )
        return { contents, loader: "js" }
      }
    )
  }
}

/** The light bundles stay as they are: a command makes few spans, and its code is read at each start. */
const worksLong = new Set(["worker", "mcp"])

/** SQL is text to the minifier, which leaves its indentation alone: 4 KB of the light bundle. Lines stay, for comments. */
const leanSql = (path, text) =>
  !isDev && /[\\/]src[\\/]layers[\\/]sql[\\/]/.test(path) ? text.replace(/\n +/g, "\n") : text

/** The statements that make the tables: in a file apart, since a start needs them only where there is no database yet. */
const tables = []
const withoutTables = (text) =>
  text.replace(
    /\bsql`([^`$\\]*)`/g,
    (_, statement) => `sql.unsafe(require("./tables.cjs")[${tables.push(statement.replace(/\n +/g, "\n")) - 1}])`
  )

const platformError = at("node_modules/@effect/platform/dist/esm/Error.js")

const sourceFiles = async () => {
  const names = await readdir(at("src"), { recursive: true })
  return names
    .filter((name) => name.endsWith(".ts") && !/^web[\\/]client[\\/]/.test(name))
    .map((name) => at(`src/${name}`))
}

/** The errors of this package are built from schemas too, and a light command meets none of them. */
const platformErrors = async () => {
  const packages = ["platform", "platform-node", "platform-node-shared", "sql"].map(
    (name) => `node_modules/@effect/${name}/dist/esm`
  )
  const files = await Promise.all(
    packages.map(async (directory) =>
      (await readdir(at(directory), { recursive: true })).map((name) => at(`${directory}/${name}`))
    )
  )
  const scripts = files.flat().filter((name) => name.endsWith(".js") && !name.endsWith("index.js"))
  const texts = await Promise.all(scripts.map(async (path) => [path, await readFile(path, "utf8")]))
  return texts.filter(
    ([path, text]) => path === platformError || /from "(@effect\/platform|\.{1,2})\/Error(\.js)?"/.test(text)
  )
}

/** The source as the bundles take it: with the mutation of a mutant, and with declarations that wait for their first use. */
const preparedSource = async () => {
  const files = await sourceFiles()
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8")))
  const patched = files.map((path, index) => [
    path,
    mutating === null ? texts[index] : mutating.patched(path, texts[index])
  ])
  const outside = [...Object.values(entries), ...Object.values(apart).map(({ entry }) => entry)].map(at)
  const prepared = lazyDeclarations(new Map([...patched, ...(await platformErrors())]), outside)
  for (const name of (await readdir(at("migrations"), { recursive: true })).sort()) {
    if (name.endsWith(".ts"))
      prepared.set(at(`migrations/${name}`), withoutTables(await readFile(at(`migrations/${name}`), "utf8")))
  }
  return prepared
}

const ownSource = (prepared) => ({
  name: "own-source",
  setup(builder) {
    builder.onLoad({ filter: /[\\/](src|migrations)[\\/].*\.ts$/ }, async ({ path }) => {
      mutating?.reached(path)
      return { contents: leanSql(path, prepared.get(path)), loader: "ts" }
    })
    builder.onLoad({ filter: /[\\/]@effect[\\/][^\\/]+[\\/]dist[\\/]esm[\\/].*\.js$/ }, ({ path }) =>
      prepared.has(path) ? { contents: prepared.get(path), loader: "js" } : undefined
    )
  }
})

/** Regular expressions keep what stands in them: those of this library have dashes that are no ASCII. */
const asciiSources = {
  name: "ascii-sources",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]node_modules[\\/]chrono-node[\\/].*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(
        /[^\0-\x7f]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
      ),
      loader: "js"
    }))
  }
}

/** Swapped in whole: whoever runs the old build meanwhile never reads half a file. */
const put = async (name, contents, mode = 0o644) => {
  const temporary = at(`${dist}/.${name}.${process.pid}`)
  await writeFile(temporary, contents)
  await chmod(temporary, mode)
  await rename(temporary, at(`${dist}/${name}`))
  return name
}

/** The JSON Schemas of the MCP tools, made once here and not at every start of a server. */
const toolSchemas = async () => {
  const { tools } = await loaded("src/mcp/Tools.ts")
  return JSON.stringify(
    Object.fromEntries(
      tools.map(({ inputSchema, name, outputSchema }) => [name, { input: inputSchema, output: outputSchema }])
    )
  )
}

/** The document of the HTTP API, for generators of clients; what the package holds is what the source says. */
const openApiDocument = async () => {
  const { openApi } = await loaded("src/web/api/openApi.ts")
  return `${JSON.stringify(openApi, null, 2)}\n`
}

/** The JSON Schema of pipeline files, for editors; what the package holds is what the source says. */
const fileSchemas = async () => {
  const { loopJsonSchema, pipelineJsonSchema } = await loaded("src/programs/pipelines/FileSchemas.ts")
  const text = (schema) => `${JSON.stringify(schema, null, 2)}\n`
  return { loop: text(loopJsonSchema()), pipeline: text(pipelineJsonSchema()) }
}

/** Bundles one entry. The digest of the result names its code cache. */
const bundle = async (name, entry) => {
  const { outputFiles, metafile } = await build({
    entryPoints: [at(entry)],
    absWorkingDir: at("."),
    outfile: at(`${dist}/${name}.cjs`),
    write: false,
    bundle: true,
    minify: !isDev,
    metafile: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    legalComments: "none",
    logLevel: "warning",
    external: ["better-sqlite3/package.json", "./tables.cjs"],
    // Its other form finds its parts at run time.
    alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    define: {
      __BACKBEAT_VERSION__: JSON.stringify(version),
      ...(name === "mcp" ? { __BACKBEAT_TOOL_SCHEMAS__: JSON.stringify(await toolSchemas()) } : {}),
      // Touching the global loads eleven modules of Node. Effect needs it only where `process.hrtime` is missing.
      performance: "undefined"
    },
    // A file apart is loaded by `require`: code from the cache has no `import()`.
    supported: { "dynamic-import": false },
    plugins: [
      nativeModule,
      mcpShims,
      webShims,
      noPrinter,
      leanAtLoad,
      ...(worksLong.has(name) ? [sharedContext] : []),
      ownSource(prepared),
      asciiSources,
      lazyBuiltins,
      loadedApart
    ]
  })
  // Unminified code keeps comments, and only in those is other than ASCII left.
  const contents = isDev
    ? Buffer.from(outputFiles[0].text.replace(/[^\0-\x7f]/g, "?"), "latin1")
    : outputFiles[0].contents
  // The bootstrap reads it one byte a character, which V8 likes best.
  if (contents.some((byte) => byte > 127)) throw new Error(`${name}: not plain ASCII`)
  return { name, contents, metafile, digest: createHash("sha256").update(contents).digest("hex").slice(0, 16) }
}

const prepared = await preparedSource()
const present = Object.entries(entries).filter(([, entry]) => existsSync(at(entry)))
const bundles = await Promise.all(present.map(([name, entry]) => bundle(name, entry)))
const parts = await Promise.all(Object.entries(apart).map(([name, { entry }]) => bundle(name, entry)))
if (mutating !== null && mutating.unreached.size > 0) {
  throw new Error(`no bundle contains ${Array.from(mutating.unreached).join(", ")}`)
}
const boot = await bootstrap(Object.fromEntries(bundles.map(({ name, digest }) => [name, digest])), version)

const schemas = await fileSchemas()
await mkdir(at(dist), { recursive: true })
if (!isMutant && !isDev) {
  await mkdir(at("schema"), { recursive: true })
  await writeFile(at("schema/pipeline.schema.json"), schemas.pipeline)
  await writeFile(at("schema/loop.schema.json"), schemas.loop)
  await writeFile(at("schema/openapi.json"), await openApiDocument())
}
const written = [".cache"]
for (const { name, contents, metafile } of [...bundles, ...parts]) {
  written.push(await put(`${name}.cjs`, contents), await put(`${name}.meta.json`, JSON.stringify(metafile)))
}
const schemaSource = `exports.pipelineJsonSchema=()=>(${schemas.pipeline.trim()});
exports.loopJsonSchema=()=>(${schemas.loop.trim()});
`
written.push(await put("pipeline-schema.cjs", schemaSource))
written.push(await put("tables.cjs", `module.exports=${JSON.stringify(tables)};\n`))
if (!isMutant) written.push(await put("web-page.cjs", await webPage(isDev)))
written.push(await put("beat.cjs", boot, 0o755))
for (const name of await readdir(at(dist))) {
  if (!written.includes(name) && !/^\.\w+\.\w+/.test(name))
    await rm(at(`${dist}/${name}`), { recursive: true, force: true })
}
