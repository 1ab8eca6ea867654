/** The product's source files, parsed, for tests that hold the rules between them. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Import {
  /** A path from the root for a file of ours, else the name of a package. */
  readonly target: string
  readonly specifier: string
  readonly typeOnly: boolean
}

export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: ReadonlyArray<Import>
  /** Uses of globals as written, for example `process.env`, without those in comments and strings. */
  readonly uses: ReadonlyArray<string>
}

const isRelative = (specifier: string): boolean => specifier.startsWith(".")

const parse = (path: string): Source => {
  const text = readFileSync(join(root, path), "utf8")
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const imports: Array<Import> = []
  const uses: Array<string> = []

  const add = (specifier: string, typeOnly: boolean) => {
    const target = isRelative(specifier) ? posix.join(posix.dirname(path), specifier) : specifier
    imports.push({ target, specifier, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, node.importClause?.isTypeOnly === true)
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) add(node.moduleSpecifier.text, node.isTypeOnly)
    } else if (ts.isCallExpression(node)) {
      const [first] = node.arguments
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword && first !== undefined && ts.isStringLiteral(first)) {
        add(first.text, false)
      }
      if (ts.isIdentifier(node.expression)) uses.push(`${node.expression.text}()`)
    } else if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      uses.push(`${node.expression.text}.${node.name.text}`)
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
      uses.push(`new ${node.expression.text}(${node.arguments?.length ? "..." : ""})`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { path, text, imports, uses }
}

/** Every TypeScript file under the given folders. */
export const sourcesIn = (...folders: ReadonlyArray<string>): ReadonlyArray<Source> =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[cm]?ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
      .sort()
      .map(parse)
  )
