/** How files are named and how many of them a folder holds. AGENTS.md has the rule. */
import { readFileSync } from "node:fs"
import { basename, dirname } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"
import { type Source as AnySource, sourcesIn } from "./Sources.ts"

/** What the name of a file is judged by. */
type Source = Pick<AnySource, "path" | "text">

const sources = sourcesIn("src")

/** The statements of a module that export what they declare. */
const exportsOf = ({ path, text }: Source): ReadonlyArray<ts.Statement> =>
  ts
    .createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
    .statements.filter(
      (statement) =>
        ts.canHaveModifiers(statement) &&
        (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    )

/** Names of the types that a module exports. */
const typesOf = (source: Source): ReadonlyArray<string> =>
  exportsOf(source).flatMap((statement) =>
    ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) ? [statement.name.text] : []
  )

/** Names of the values that a module exports; of types there may be any. */
const valuesOf = (source: Source): ReadonlyArray<string> =>
  exportsOf(source).flatMap((statement) => {
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.map(({ name }) => name.getText())
    }
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      return statement.name === undefined ? [] : [statement.name.text]
    }
    return []
  })

/** `src/cli.ts`, `src/mcp.ts` and what the build makes a bundle of export nothing, and are named for the bundle. */
const isEntry = (path: string): boolean => /^src\/(cli|mcp)\.ts$|\.entry\.ts$/.test(path)

/** A command is a file named as it is typed, a tool a file named as clients see it. */
const isSurface = (path: string): boolean => /^src\/(cli\/commands|mcp\/tools)\//.test(path)

const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`
const camel = (name: string): string => `${name.charAt(0).toLowerCase()}${name.slice(1)}`

/** What is wrong with the name of a file, or null. */
const problemOf = (source: Source): string | null => {
  const { path } = source
  if (isEntry(path) || isSurface(path)) return null
  const name = basename(path, ".ts")
  const values = valuesOf(source)
  if (/^[a-z]/.test(name)) {
    // Where a function closes over a connection, the module exports what makes it.
    const own = values.includes(name) || values.includes(`make${capital(name)}`)
    return own ? null : `exports no function '${name}'`
  }
  const [only] = values
  // A type that is exported together with the one function that makes its values.
  if (typesOf(source).includes(name)) return null
  return values.length === 1 && only === camel(name) ? `exports one function alone: call it ${only}.ts` : null
}

describe("the name of a file", () => {
  it("is that of its main type or tag in Pascal case, or of its one function in camel case", () => {
    const found = sources.flatMap((source) => {
      const problem = problemOf(source)
      return problem === null ? [] : [`${source.path}: ${problem}`]
    })
    assert.deepStrictEqual(found, [])
  })

  it("of the past is found", () => {
    const text = "export const startLoad = () => null\n"
    assert.isNotNull(problemOf({ path: "src/torture/load/StartLoad.ts", text }))
    assert.isNotNull(problemOf({ path: "src/torture/load/start.ts", text }))
    assert.isNull(problemOf({ path: "src/torture/load/startLoad.ts", text }))
  })

  it("differs from its neighbours by more than case: some file systems see no other difference", () => {
    const seen = new Set<string>()
    const twice = sources.filter(({ path }) => {
      const key = path.toLowerCase()
      return seen.has(key) || !seen.add(key)
    })
    assert.deepStrictEqual(twice, [])
  })
})

describe("a folder", () => {
  /** More than this cannot be seen in one look. */
  const mostFiles = 16
  const deepest = 4

  it(`of programs or of the SQL layer holds at most ${mostFiles} files`, () => {
    const sizes = new Map<string, number>()
    for (const { path } of sources) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1)
    const full = Array.from(sizes).filter(
      ([folder, size]) => /^src\/(programs|layers\/sql)(\/|$)/.test(folder) && size > mostFiles
    )
    assert.isAbove(sizes.size, 20)
    assert.deepStrictEqual(full, [])
  })

  it(`is at most ${deepest} floors below src`, () => {
    const deep = sources.map(({ path }) => dirname(path)).filter((folder) => folder.split("/").length - 1 > deepest)
    assert.deepStrictEqual(deep, [])
  })
})

describe("the store in memory", () => {
  const mostLines = 900

  it(`has at most ${mostLines} lines: decisions are in domain, and other ports are tested over SQLite`, () => {
    const files = sources.filter(({ path }) => path.startsWith("src/layers/memory/store/"))
    const lines = files.reduce((sum, { text }) => sum + text.split("\n").length - 1, 0)
    assert.isAbove(lines, 0)
    assert.isAtMost(lines, mostLines)
  })
})

describe("the table of rooms in docs/architecture.md", () => {
  it("has every folder below those that it names, once", () => {
    const page = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8")
    const [, table = ""] = page.split("| folder | its rooms |\n| --- | --- |\n")
    const rows = (table.split("\n\n")[0] ?? "").split("\n").map((row) => row.split(" | "))
    const folders = rows.map(([folder = ""]) => folder.replaceAll(/[|` ]/g, ""))
    assert.isAbove(folders.length, 8)
    assert.deepStrictEqual(folders, [...new Set(folders)])
    for (const [at, folder] of folders.entries()) {
      const told = Array.from(
        (rows[at]?.[1] ?? "").replaceAll(/\([^)]*\)/g, "").matchAll(/`([^`]+)`/g),
        ([, name]) => name
      )
      const below = sources.flatMap(({ path }) => {
        const [room, ...rest] = path.startsWith(`src/${folder}/`) ? path.slice(folder.length + 5).split("/") : []
        return room === undefined || rest.length === 0 ? [] : [room]
      })
      assert.sameMembers(told, [...new Set(below)], folder)
    }
  })
})
