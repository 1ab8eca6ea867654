/** What is wrong with a pipeline file, in words, with the place and what to write instead. */
import type * as ParseResult from "effect/ParseResult"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { fieldProblems, innermost, nameOf, ruleOf, shownValue, valueAt } from "../../domain/SchemaProblems.ts"
import { nearest } from "../../domain/Spelling.ts"
import { labelKeyRule } from "../../domain/task/Task.ts"
import type { Parsed, Path, Position } from "./Document.ts"

export const problem = (position: Position, message: string, hint: string | null = null): PipelineProblem => ({
  line: position.line,
  column: position.column,
  message,
  hint
})

/** "Did you mean", or all there is. */
export const suggestion = (word: string, known: ReadonlyArray<string>): string | null => {
  if (known.length === 0) return null
  const close = nearest(word, known)
  return close === null ? `Known: ${known.join(", ")}` : `Did you mean '${close}'?`
}

const keyRules: Readonly<Record<string, string>> = {
  vars: "names of variables are letters, digits, _ and -, and begin with none of the digits",
  labels: labelKeyRule
}

/** The most problems reported for one step: after a fix, the file is checked again. The time to report all grows with the
 * square of their number. */
const mostIssues = 100

/** One problem for each field of `raw`, whose path in the file is `base`. `keysAt`: the keys allowed in an object. */
export const problemsOf = (
  error: ParseResult.ParseError,
  raw: unknown,
  base: Path,
  keysAt: (path: Path) => ReadonlyArray<string>,
  parsed: Parsed
): ReadonlyArray<PipelineProblem> => {
  return innermost(fieldProblems(error, mostIssues)).map((one) => {
    const { kind, path } = one
    const whole = [...base, ...path]
    const name = nameOf(whole)
    if (kind === "unexpected") {
      const rule = keyRules[String(path.at(-2))]
      if (rule !== undefined) return problem(parsed.keyAt(whole), `${name}: ${rule}`)
      const hint = suggestion(String(path.at(-1)), keysAt(whole.slice(0, -1)))
      return problem(parsed.keyAt(whole), `${name}: there is no such key`, hint)
    }
    const value = valueAt(raw, path)
    if (value === undefined) return problem(parsed.valueAt(whole), `${name}: it is missing`)
    if (value === null) return problem(parsed.valueAt(whole), `${name}: it has no value`, ruleOf(one))
    return problem(parsed.valueAt(whole), `${name}: ${ruleOf(one)}, not ${shownValue(value)}`)
  })
}
