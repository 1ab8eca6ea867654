/**
 * Makes constants and classes that are built from schemas wait for their first use: to construct the schemas of a feature took
 * six tenths of what a command evaluated at its start, and it uses few of them. In the source they stay plain declarations:
 *
 *   export const TaskId = Schema.String.pipe(...)   becomes   export const $TaskId = once(() => Schema.String.pipe(...))
 *
 * and each use of `TaskId` as a value becomes `$TaskId()`, in all modules. What a module exports to `import()`, or to a module
 * that uses it whole, keeps its form. Lines stay where they are.
 */
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { eachUse, readModule } from "./Module.mjs"

/** To use one of these at load is what makes a declaration wait. */
const costly = new Set(["effect/Schema", "effect/ParseResult"])

const helper = fileURLToPath(new URL("once.mjs", import.meta.url))
const waitsFor = "/* @__PURE__ */$once(()=>"

/** Loaded when they run, and then used whole. */
const isCommand = (file) => /[\\/]src[\\/]cli[\\/]commands[\\/]/.test(file)

const analysed = (sources, entries) => {
  const modules = new Map(Array.from(sources, ([file, text]) => [file, readModule(file, text)]))
  const plain = new Set(entries)
  for (const { loads, whole } of modules.values()) for (const file of [...loads, ...whole]) plain.add(file)
  /** The names of each module that wait. */
  const waiting = new Map(Array.from(modules.keys(), (file) => [file, new Set()]))
  const isWaiting = (module, identifier) => {
    const imported = module.named.get(identifier.text)
    if (imported !== undefined) return waiting.get(imported.target)?.has(imported.name) ?? false
    const namespace = module.namespaces.get(identifier.text)
    if (namespace === undefined) return waiting.get(module.file).has(identifier.text)
    if (costly.has(namespace)) return true
    const { parent } = identifier
    return ts.isPropertyAccessExpression(parent) && (waiting.get(namespace)?.has(parent.name.text) ?? false)
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const module of modules.values()) {
      if (isCommand(module.file)) continue
      for (const { as, name, target } of module.passed) {
        if (!waiting.get(target)?.has(name) || waiting.get(module.file).has(as)) continue
        waiting.get(module.file).add(as)
        changed = true
      }
      for (const declaration of module.declarations) {
        const known = waiting.get(module.file)
        if (known.has(declaration.names[0]) || (declaration.exported && plain.has(module.file))) continue
        let found = false
        eachUse(declaration.value, (identifier) => (found ||= isWaiting(module, identifier)), true)
        if (!found) continue
        changed = true
        for (const name of declaration.names) known.add(name)
      }
    }
  }
  return { modules, waiting }
}

const renamed = (element) => {
  const { name, propertyName } = element
  return propertyName === undefined ? `$${name.text}` : `$${propertyName.text} as $${name.text}`
}

/** Whether `new` is applied to it or to a member of it: a call there would be taken for that of the constructor. */
const isConstructed = (node) => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return isConstructed(parent)
  return ts.isNewExpression(parent) && parent.expression === node
}

const rewritten = (module, waiting) => {
  const { file, namespaces, named, source, text } = module
  const edits = [{ start: 0, end: 0, instead: `import{once as $once}from${JSON.stringify(helper)};` }]
  const put = (start, end, instead) => edits.push({ start, end, instead })
  const own = waiting.get(file)
  const waits = (name) => {
    const imported = named.get(name)
    return imported === undefined ? own.has(name) : (waiting.get(imported.target)?.has(imported.name) ?? false)
  }

  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue
    for (const element of statement.exportClause.elements) {
      if (waits((element.propertyName ?? element.name).text)) put(element.getStart(), element.end, renamed(element))
    }
  }
  for (const { name, node, target } of module.passed) {
    if (waiting.get(target)?.has(name)) put(node.getStart(), node.end, renamed(node))
  }
  for (const { name, node, target } of named.values()) {
    if (waiting.get(target)?.has(name)) put(node.getStart(), node.end, renamed(node))
  }
  for (const { exported, names, pattern, statement, value } of module.declarations) {
    if (!own.has(names[0])) continue
    const prefix = exported ? "export " : ""
    const [first] = names
    const start = statement.getStart()
    if (pattern === undefined) {
      // Its own name inside it is that of the expression.
      put(start, exported ? start + "export ".length : start, `${prefix}const $${first}=${waitsFor}`)
      put(statement.end, statement.end, ")")
    } else if (ts.isIdentifier(pattern)) {
      put(start, value.getStart(), `${prefix}const $${first}=${waitsFor}(`)
      put(value.end, statement.end, "))")
    } else {
      const all = `$_${names.join("_")}`
      put(start, pattern.getStart(), `const ${all}=${waitsFor}{const `)
      const readers = names.map((name) => `;${prefix}const $${name}=()=>${all}().${name}`)
      put(statement.end, statement.end, `;return{${names.join()}}})${readers.join("")}`)
    }
  }
  const replace = (identifier) => {
    const { parent } = identifier
    const namespace = namespaces.get(identifier.text)
    if (namespace !== undefined) {
      if (!ts.isPropertyAccessExpression(parent) || !waiting.get(namespace)?.has(parent.name.text)) return
      const call = `${identifier.text}.$${parent.name.text}()`
      put(parent.getStart(), parent.end, isConstructed(parent) ? `(${call})` : call)
      return
    }
    if (!waits(identifier.text)) return
    const call = `$${identifier.text}()`
    const value = isConstructed(identifier) ? `(${call})` : call
    put(
      identifier.getStart(),
      identifier.end,
      ts.isShorthandPropertyAssignment(parent) ? `${identifier.text}:${value}` : value
    )
  }
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) eachUse(statement, replace)
  }
  if (edits.length === 1) return text
  edits.sort((left, right) => left.start - right.start || left.end - right.end)
  let at = 0
  let result = ""
  for (const { end, instead, start } of edits) {
    if (start < at) throw new Error(`${file}: two edits of one place, at ${start}`)
    result += text.slice(at, start) + instead
    at = end
  }
  return result + text.slice(at)
}

/** The texts of all modules with their declarations made lazy. `sources` maps paths to texts; the exports of `entries` keep their form. */
export const lazyDeclarations = (sources, entries) => {
  const { modules, waiting } = analysed(sources, entries)
  return new Map(Array.from(modules.values(), (module) => [module.file, rewritten(module, waiting)]))
}
