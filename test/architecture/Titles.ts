/** The titles of the tests in a file that run: not of skipped ones, and no text that is only quoted. */
import ts from "typescript"

/** The names of a call such as `it.effect.skipIf(condition)("title")`: here `it`, `effect` and `skipIf`. */
const namesOf = (callee: ts.Expression): ReadonlyArray<string> => {
  if (ts.isIdentifier(callee)) return [callee.text]
  if (ts.isPropertyAccessExpression(callee)) return [...namesOf(callee.expression), callee.name.text]
  return ts.isCallExpression(callee) ? namesOf(callee.expression) : []
}

const isOff = (names: ReadonlyArray<string>): boolean => names.some((name) => ["skip", "todo", "fails"].includes(name))

/** As written: a template keeps its placeholders. */
const titleOf = (node: ts.Node | undefined, file: ts.SourceFile): string | null => {
  if (node === undefined) return null
  if (ts.isStringLiteralLike(node)) return node.text
  return ts.isTemplateExpression(node) ? node.getText(file).slice(1, -1) : null
}

/** A test is a call of `it`, or of `test`, which contract suites define for the subject they run over. */
export const titlesOf = (text: string): ReadonlySet<string> => {
  const file = ts.createSourceFile("test.ts", text, ts.ScriptTarget.ES2022, true)
  const titles = new Set<string>()
  const visit = (node: ts.Node): void => {
    const names = ts.isCallExpression(node) ? namesOf(node.expression) : []
    const isTest = names[0] === "it" || names[0] === "test"
    if ((isTest || names[0] === "describe") && isOff(names)) return
    if (isTest && ts.isCallExpression(node)) {
      const title = titleOf(node.arguments[0], file)
      if (title !== null) titles.add(title)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return titles
}
