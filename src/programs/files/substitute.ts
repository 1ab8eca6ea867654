/** `${name}` in the texts of a pipeline file. The environment is not read: a file means the same wherever it runs. */
import type { Path } from "./Document.ts"

/** `$${` stays as `${`. What is not a plain name between the braces is left to the shell. */
const pattern = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_-]*)\}/g

interface Substituted {
  readonly value: unknown
  /** Names that no variable has, with the path of the text that they are in. */
  readonly unknown: ReadonlyArray<{ readonly path: Path; readonly name: string }>
  readonly used: ReadonlySet<string>
}

/** Fills in every text of a value, however deep. Keys stay as they are. */
export const substitute = (given: unknown, path: Path, variables: ReadonlyMap<string, string>): Substituted => {
  const unknown: Array<{ readonly path: Path; readonly name: string }> = []
  const used = new Set<string>()
  const fill = (value: unknown, at: Path): unknown => {
    if (typeof value === "string") {
      return value.replaceAll(pattern, (whole: string, name: string | undefined) => {
        if (name === undefined) return "${"
        used.add(name)
        const found = variables.get(name)
        if (found === undefined) unknown.push({ path: at, name })
        return found ?? whole
      })
    }
    if (Array.isArray(value)) return value.map((inner, index) => fill(inner, [...at, index]))
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, [...at, key])]))
  }
  return { value: fill(given, path), unknown, used }
}
