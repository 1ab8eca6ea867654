/** What a TOML file says where: tables and values with their full names and their places in the text. */
import type { AST } from "toml-eslint-parser"

interface Place {
  readonly from: number
  readonly to: number
}

/** A header with what is below it. */
interface Table extends Place {
  readonly path: ReadonlyArray<string>
  readonly header: Place
}

/** `key = value`, in a table, at the top or within braces. */
export interface Pair extends Place {
  /** From the root of the file. */
  readonly path: ReadonlyArray<string>
  /** Of what it is written in: a dotted key has the rest. */
  readonly container: ReadonlyArray<string>
  readonly value: Place
  /** The pairs within braces; null for any other value. */
  readonly inline: ReadonlyArray<Pair> | null
  /** The pairs around it within the same braces; null where it has its own line. */
  readonly braces: Place | null
}

export interface TomlTree {
  readonly tables: ReadonlyArray<Table>
  /** Those within braces too. */
  readonly pairs: ReadonlyArray<Pair>
}

const placeOf = ({ range: [from, to] }: { readonly range: readonly [number, number] }): Place => ({ from, to })

const namesOf = (key: AST.TOMLKey): ReadonlyArray<string> =>
  key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value))

const pairsOf = (
  nodes: ReadonlyArray<AST.TOMLKeyValue>,
  container: ReadonlyArray<string>,
  braces: Place | null
): ReadonlyArray<Pair> =>
  nodes.map((node) => {
    const path = [...container, ...namesOf(node.key)]
    const value = placeOf(node.value)
    return {
      ...placeOf(node),
      path,
      container,
      value,
      inline: node.value.type === "TOMLInlineTable" ? pairsOf(node.value.body, path, value) : null,
      braces
    }
  })

const withInner = (pairs: ReadonlyArray<Pair>): ReadonlyArray<Pair> =>
  pairs.flatMap((pair) => [pair, ...withInner(pair.inline ?? [])])

export const treeOfToml = (program: AST.TOMLProgram): TomlTree => {
  const tables: Array<Table> = []
  const pairs: Array<Pair> = []
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") pairs.push(...pairsOf([node], [], null))
    // A table of a list has a number in its name, so it is never taken for one of ours.
    else {
      const path = node.resolvedKey.map(String)
      const named = node.resolvedKey.every((part) => typeof part === "string") ? path : [...path, "[]"]
      tables.push({ ...placeOf(node), path: named, header: placeOf(node.key) })
      pairs.push(...pairsOf(node.body, named, null))
    }
  }
  return { tables, pairs: withInner(pairs) }
}
