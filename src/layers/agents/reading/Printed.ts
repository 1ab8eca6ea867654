/** The border to what agents print: lenient schemas, and a reader of JSON lines that never fails. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A field that is undefined when it is missing, null or of another kind than expected. */
export const loose = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optional(Schema.UndefinedOr(schema).annotations({ decodingFallback: () => Either.right(undefined) }))

export const text = loose(Schema.String)
export const number = loose(Schema.JsonNumber)
export const flag = loose(Schema.Boolean)

/** A list whose odd members become what `empty` says. */
export const listOf = <A, I>(schema: Schema.Schema<A, I>, empty: A) =>
  loose(Schema.Array(schema.annotations({ decodingFallback: () => Either.right(empty) })))

/**
 * Reads one line as a JSON object of this shape; null when it is anything else. The decoder is made at the first line:
 * commands that only name an agent do not pay for it.
 */
export const reader = <A, I>(schema: Schema.Schema<A, I>): ((line: string) => A | null) => {
  let decode: ((line: unknown) => Option.Option<A>) | undefined
  return (line) => {
    const from = line.charCodeAt(0) === 123 ? line : line.trim()
    if (!from.startsWith("{")) return null
    decode ??= Schema.decodeUnknownOption(Schema.parseJson(schema))
    return Option.getOrNull(decode(from))
  }
}

/** Lines that may be events of these types: cheap enough to run over megabytes before anything is parsed. */
export const ofTypes = (lines: ReadonlyArray<string>, types: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = types.map((type) => type.replace(/[.]/g, "\\.")).join("|")
  const pattern = new RegExp(`"type"\\s*:\\s*"(?:${names})"`)
  return lines.filter((line) => pattern.test(line))
}
