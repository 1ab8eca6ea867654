/** A YAML or JSON text as plain values, with the place in the text of each of them. */
import * as Effect from "effect/Effect"
import type { Document, Node, Pair, YAMLMap } from "yaml"
import { maxFileBytes } from "../../domain/pipeline/FileFields.ts"

/** A place in a text, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

interface Fault extends Position {
  readonly message: string
}

export type Path = ReadonlyArray<PropertyKey>

export interface Parsed {
  readonly value: unknown
  /** The place of the value at a path, or of the closest enclosing value if there is none. */
  readonly valueAt: (path: Path) => Position
  /** The place of the key at the end of a path. */
  readonly keyAt: (path: Path) => Position
  /** The text of a single value as it is written, without quotes; null for lists, objects and where there is none. */
  readonly textAt: (path: Path) => string | null
}

/** Uses of anchors: enough for any real file, too few to make a small one explode. */
const maxAliases = 1000

const start: Position = { line: 1, column: 1 }

/** Merges inside merges: a map can merge itself in. */
const maxMerges = 10

/** If a text is not YAML, the first faults cause the others. */
const maxFaults = 20

// The library is larger than a light command, so only commands that read a file load it.
const load = Effect.promise(() => import("yaml"))

/** Never fails: what cannot be read is a list of faults. */
export const parseText = Effect.fn("parseText")(function* (source: string) {
  const yaml = yield* load
  const starts = [0, ...Array.from(source.matchAll(/\n/g), ({ index }) => index + 1)]

  const positionOf = (offset = 0): Position => {
    const line = Math.max(
      0,
      starts.findLastIndex((first) => first <= offset)
    )
    return { line: line + 1, column: Math.min(offset, source.length) - (starts[line] ?? 0) + 1 }
  }

  const keyOf = ({ key }: Pair): string => String(yaml.isScalar(key) ? key.value : key)

  /** The pair of a key; if the map lacks the key, the first pair that it merges in (`<<: *anchor`). */
  const pairOf = (document: Document.Parsed, map: YAMLMap, name: string, depth: number): Pair | undefined => {
    const own = map.items.find((item) => keyOf(item) === name)
    if (own !== undefined || depth > maxMerges) return own
    for (const { value } of map.items.filter((item) => keyOf(item) === "<<")) {
      const merged: unknown = yaml.isAlias(value) ? value.resolve(document) : value
      for (const source of yaml.isSeq(merged) ? merged.items : [merged]) {
        const inner: unknown = yaml.isAlias(source) ? source.resolve(document) : source
        const found = yaml.isMap(inner) ? pairOf(document, inner, name, depth + 1) : undefined
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  const walk = (document: Document.Parsed, path: Path): { readonly node: Node | null; readonly key: Node | null } => {
    const followed = (node: unknown): unknown => (yaml.isAlias(node) ? node.resolve(document) : node)
    let node: unknown = document.contents
    let key: Node | null = null
    for (const segment of path) {
      const inside: unknown = followed(node)
      let next: unknown
      if (yaml.isMap(inside)) {
        const pair = pairOf(document, inside, String(segment), 0)
        key = yaml.isNode(pair?.key) ? pair.key : null
        next = pair?.value ?? pair?.key
      } else if (yaml.isSeq(inside)) {
        key = null
        next = inside.items[Number(segment)]
      }
      if (!yaml.isNode(next)) return { node: yaml.isNode(node) ? node : null, key: null }
      node = next
    }
    return { node: yaml.isNode(node) ? node : null, key }
  }

  const fault = (message: string, position: Position): ReadonlyArray<Fault> => [{ ...position, message }]

  const read = (): Parsed | ReadonlyArray<Fault> => {
    const document = yaml.parseDocument(source, {
      prettyErrors: false,
      merge: true,
      stringKeys: true,
      version: "1.2"
    })
    if (document.errors.length > 0) {
      return document.errors.slice(0, maxFaults).map(({ code, message, pos }) => ({
        ...positionOf(pos[0]),
        message:
          code === "MULTIPLE_DOCS"
            ? "a second document begins here: a file has one document"
            : message.replaceAll(/\s+/g, " ")
      }))
    }
    const value: unknown = document.toJS({ maxAliasCount: maxAliases })
    return {
      value,
      valueAt: (path) => positionOf(walk(document, path).node?.range?.[0]),
      keyAt: (path) => {
        const { key, node } = walk(document, path)
        return positionOf((key ?? node)?.range?.[0])
      },
      textAt: (path) => {
        const { node } = walk(document, path)
        const scalar: unknown = yaml.isAlias(node) ? node.resolve(document) : node
        return yaml.isScalar(scalar) ? (scalar.source ?? null) : null
      }
    }
  }

  if (source.length > maxFileBytes) {
    return fault(`the file is larger than ${maxFileBytes / 1024 ** 2} MB`, start)
  }
  // Text nested deeper than the stack is an error of the text.
  return yield* Effect.try(read).pipe(
    Effect.catchAll(({ cause }) =>
      Effect.succeed(
        fault(
          cause instanceof RangeError ? "it is nested too deeply" : cause instanceof Error ? cause.message : "not YAML",
          start
        )
      )
    )
  )
})
