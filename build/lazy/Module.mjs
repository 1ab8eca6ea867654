/** One source module as the build sees it: what it declares at its top, what it imports, and where names are used as values. */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const platform = fileURLToPath(new URL("../../node_modules/@effect/platform/dist/esm/", import.meta.url))

/** The names that a pattern binds. */
export const boundNames = (name) =>
  ts.isIdentifier(name)
    ? [name.text]
    : name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)))

const isExported = (node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false

/** Names that a function, a block or a loop binds for what is inside it. */
const namesIn = (node) => {
  const names = []
  const add = (declaration) => names.push(...boundNames(declaration.name))
  if (ts.isFunctionLike(node)) node.parameters.forEach(add)
  if ((ts.isFunctionExpression(node) || ts.isClassLike(node)) && node.name !== undefined) names.push(node.name.text)
  if (ts.isCatchClause(node) && node.variableDeclaration !== undefined) add(node.variableDeclaration)
  const list =
    ts.isForStatement(node) || ts.isForOfStatement(node) || ts.isForInStatement(node) ? node.initializer : null
  if (list != null && ts.isVariableDeclarationList(list)) list.declarations.forEach(add)
  const statements = ts.isBlock(node)
    ? node.statements
    : ts.isCaseBlock(node)
      ? node.clauses.flatMap((clause) => Array.from(clause.statements))
      : []
  for (const statement of statements) {
    if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(add)
    else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name !== undefined)
      names.push(statement.name.text)
  }
  return names
}

/** The parts of a node that hold expressions: no types, and no names of properties. */
const partsOf = (node) => {
  if (ts.isPropertyAccessExpression(node) || ts.isExpressionWithTypeArguments(node)) return [node.expression]
  if (ts.isHeritageClause(node)) return node.token === ts.SyntaxKind.ExtendsKeyword ? node.types : []
  if (ts.isBreakOrContinueStatement(node) || ts.isMetaProperty(node)) return []
  if (ts.isLabeledStatement(node)) return [node.statement]
  if (ts.isBindingElement(node)) {
    const computed = node.propertyName !== undefined && ts.isComputedPropertyName(node.propertyName)
    return [
      computed ? node.propertyName : undefined,
      ts.isIdentifier(node.name) ? undefined : node.name,
      node.initializer
    ]
  }
  const parts = []
  ts.forEachChild(node, (part) => {
    const isName = part === node.name && ts.isIdentifier(part) && !ts.isShorthandPropertyAssignment(node)
    if (!isName) parts.push(part)
  })
  return parts
}

const isErased = (node) =>
  (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isTypeParameterDeclaration(node)

/** Calls `use` with each identifier that stands for a value of the module's own scope. `atLoad`: not what runs later only. */
export const eachUse = (node, use, atLoad = false, hidden = new Set()) => {
  if (node === undefined || isErased(node)) return
  if (ts.isIdentifier(node)) {
    if (!hidden.has(node.text)) use(node)
    return
  }
  if (atLoad && (ts.isFunctionLike(node) || (ts.isPropertyDeclaration(node) && !ts.hasStaticModifier(node)))) return
  const own = namesIn(node)
  const inside = own.length === 0 ? hidden : new Set([...hidden, ...own])
  for (const part of partsOf(node)) eachUse(part, use, atLoad, inside)
}

/** A declaration at the top that may wait: a constant or a class. */
const declarationOf = (statement) => {
  if (ts.isClassDeclaration(statement) && statement.name !== undefined) {
    const modifiers = statement.modifiers ?? []
    if (modifiers.some(({ kind }) => kind !== ts.SyntaxKind.ExportKeyword)) return null
    return { statement, names: [statement.name.text], value: statement }
  }
  if (!ts.isVariableStatement(statement) || (statement.declarationList.flags & ts.NodeFlags.Const) === 0) return null
  const [declaration, ...more] = statement.declarationList.declarations
  if (more.length > 0 || declaration.initializer === undefined) return null
  return { statement, names: boundNames(declaration.name), value: declaration.initializer, pattern: declaration.name }
}

/** Where an import leads: a path for files of this project and of `@effect/platform`, else the name of the package. */
const targetOf = (file, specifier) => {
  if (specifier.startsWith(".")) return join(dirname(file), specifier)
  const [, name] = /^@effect\/platform\/(\w+)$/.exec(specifier) ?? []
  return name === undefined ? specifier : join(platform, `${name}.js`)
}

/** What the module at `file` says in `text`. */
export const readModule = (file, text) => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const module = {
    file,
    text,
    source,
    declarations: [],
    named: new Map(),
    namespaces: new Map(),
    passed: [],
    loads: [],
    whole: []
  }
  for (const statement of source.statements) {
    const specifier = statement.moduleSpecifier
    if (ts.isExportDeclaration(statement) && specifier !== undefined) {
      const { exportClause } = statement
      if (statement.isTypeOnly || exportClause === undefined || !ts.isNamedExports(exportClause)) continue
      const target = targetOf(file, specifier.text)
      for (const element of exportClause.elements) {
        if (element.isTypeOnly) continue
        module.passed.push({
          target,
          name: (element.propertyName ?? element.name).text,
          as: element.name.text,
          node: element
        })
      }
      continue
    }
    if (ts.isImportDeclaration(statement) && statement.importClause !== undefined) {
      const { isTypeOnly, namedBindings } = statement.importClause
      if (isTypeOnly || namedBindings === undefined) continue
      const target = targetOf(file, specifier.text)
      if (ts.isNamespaceImport(namedBindings)) module.namespaces.set(namedBindings.name.text, target)
      else
        for (const element of namedBindings.elements) {
          if (element.isTypeOnly) continue
          const name = (element.propertyName ?? element.name).text
          module.named.set(element.name.text, { target, name, node: element })
        }
      continue
    }
    const declaration = declarationOf(statement)
    if (declaration !== null) module.declarations.push({ ...declaration, exported: isExported(statement) })
  }
  for (const [, specifier] of text.matchAll(/\bimport\("([^"]+)"\)/g)) module.loads.push(targetOf(file, specifier))
  eachUse(source, (identifier) => {
    const target = module.namespaces.get(identifier.text)
    if (target !== undefined && !ts.isPropertyAccessExpression(identifier.parent)) module.whole.push(target)
  })
  return module
}
