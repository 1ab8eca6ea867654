/** Who may import whom. */
import { assert, describe, it } from "@effect/vitest"
import { type Source, sourcesIn } from "./Sources.ts"

/** Files that put layers under programs: nothing else may see both. */
const entryPoint = /^src\/(cli|mcp)\.ts$|^src\/(cli|mcp)\/[^/]+\.entry\.ts$/

/** For each folder: our own folders and the packages its files may import. The first match decides. */
const rules: ReadonlyArray<{ readonly of: RegExp; readonly own: RegExp; readonly packages: RegExp }> = [
  { of: entryPoint, own: /^(src|migrations)\//, packages: /./ },
  { of: /^src\/domain\//, own: /^src\/domain\//, packages: /^effect\// },
  { of: /^src\/services\//, own: /^src\/(domain|services)\//, packages: /^effect\// },
  { of: /^src\/text\//, own: /^src\/(domain|text)\//, packages: /^effect\// },
  {
    of: /^src\/programs\/(files\/|pipelines\/|worker\/answerAllows\.ts$)/,
    own: /^src\/(domain|services|text|programs)\//,
    packages: /^effect\/|^yaml$|^@cfworker\/json-schema$/
  },
  {
    of: /^src\/programs\/schedules\//,
    own: /^src\/(domain|services|text|programs)\//,
    packages: /^effect\/|^chrono-node\/en$/
  },
  {
    of: /^src\/programs\/setup\//,
    own: /^src\/(domain|services|text|programs)\//,
    packages: /^effect\/|^(jsonc-parser|smol-toml|toml-eslint-parser)$/
  },
  { of: /^src\/programs\//, own: /^src\/(domain|services|text|programs)\//, packages: /^effect\// },
  { of: /^src\/layers\/Light\.ts$/, own: /^src\/(layers\/(sql\/|OnDemand\.ts$)|services\/)/, packages: /^effect\// },
  // The worker pool is a program, and a layer of the full set.
  {
    of: /^src\/layers\/Full\.ts$/,
    own: /^src\/layers\/|^src\/programs\/serving\/WorkerPool\.ts$/,
    packages: /^effect\//
  },
  { of: /^src\/layers\/(node|agents)\//, own: /^src\/(domain|services|layers)\//, packages: /^(effect|node:|@effect)/ },
  {
    of: /^src\/layers\//,
    own: /^(src\/(domain|services|layers)|migrations)\//,
    packages: /^(effect|@effect\/(sql|sql-sqlite-node|experimental))\//
  },
  {
    of: /^src\/cli\//,
    own: /^src\/(domain|services|text|programs|cli)\//,
    packages: /^(effect|@effect\/(cli|platform))\/|^fast-string-truncated-width$/
  },
  {
    of: /^src\/mcp\//,
    own: /^src\/(domain|services|text|programs|mcp)\//,
    packages: /^effect\/|^@modelcontextprotocol\/server/
  },
  // A page knows the shapes that it is sent, and asks only the server that sent it.
  {
    of: /^src\/web\/client\//,
    own: /^src\/(domain|web|text)\//,
    packages: /^(preact(\/hooks)?|@preact\/signals|@tanstack\/virtual-core)$/
  },
  // The exit codes are those of `beat`: an answer tells which one the same command would have had.
  {
    of: /^src\/web\//,
    own: /^src\/(domain|services|text|programs|web)\/|^src\/cli\/framework\/ExitCode\.ts$/,
    packages: /^(effect|@effect\/platform)\//
  },
  // The checker believes nothing of the product: it reads files and rows for itself.
  { of: /^src\/torture\//, own: /^src\/torture\//, packages: /^(effect\/|node:|better-sqlite3$)/ },
  { of: /^migrations\//, own: /^migrations\//, packages: /^(effect|@effect\/sql)\// }
]

/** A package's barrel loads all of it: several hundred milliseconds at every start. */
const barrel = /^(effect|@effect\/[a-z-]+)$/

const sources = sourcesIn("src", "migrations")

const offences = (check: (source: Source) => ReadonlyArray<string>): ReadonlyArray<string> =>
  sources.flatMap((source) => check(source).map((problem) => `${source.path}: ${problem}`))

describe("imports", () => {
  it("go only in the allowed directions", () => {
    assert.isAbove(sources.length, 50)
    const found = offences((source) => {
      const rule = rules.find(({ of }) => of.test(source.path))
      if (rule === undefined) return ["belongs to no folder with a rule"]
      return source.imports
        .filter(({ specifier, target }) => !(specifier.startsWith(".") ? rule.own : rule.packages).test(target))
        .map(({ specifier }) => `may not import ${specifier}`)
    })
    assert.deepStrictEqual(found, [])
  })

  it("name subpaths of Effect's packages, never their barrels", () => {
    const found = offences(({ imports }) =>
      imports
        .filter(({ specifier }) => barrel.test(specifier))
        .map(({ specifier }) => `imports the barrel ${specifier}`)
    )
    assert.deepStrictEqual(found, [])
  })

  it("end in .ts where they are relative, and no file is an index", () => {
    const found = offences(({ imports, path }) => [
      ...imports
        .filter(({ specifier }) => specifier.startsWith(".") && !specifier.endsWith(".ts"))
        .map(({ specifier }) => `imports ${specifier} without .ts`),
      ...(/^src\/.*\bindex\.[a-z]+$/.test(path) ? ["is a barrel"] : [])
    ])
    assert.deepStrictEqual(found, [])
  })

  it("reach the database from an entry only through Light.ts and Full.ts", () => {
    const found = offences(({ imports, path }) =>
      entryPoint.test(path)
        ? imports.filter(({ target }) => target.startsWith("src/layers/sql/")).map(({ target }) => `imports ${target}`)
        : []
    )
    assert.deepStrictEqual(found, [])
    for (const name of ["Light", "Full"]) {
      assert.isNotEmpty(
        sources.filter(
          ({ imports, path }) =>
            entryPoint.test(path) && imports.some(({ target }) => target === `src/layers/${name}.ts`)
        )
      )
    }
  })

  it("form no circle, those of types included", () => {
    const graph = new Map(sources.map(({ path, imports }) => [path, imports.map(({ target }) => target)]))
    const done = new Set<string>()
    const visit = (path: string, trail: ReadonlyArray<string>): void => {
      const index = trail.indexOf(path)
      if (index >= 0) assert.fail([...trail.slice(index), path].join(" -> "))
      if (done.has(path)) return
      for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
      done.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
  })
})
