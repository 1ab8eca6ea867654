/** Accepts arguments as clients send them: `null` for an omitted one, and lists and objects as JSON text. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isObject } from "../domain/isObject.ts"

/** The alternatives of a type in their encoded form, without its transformations. */
const alternatives = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  const sent = AST.encodedAST(ast)
  if (AST.isUnion(sent)) return sent.types.flatMap(alternatives)
  if (AST.isSuspend(sent)) return alternatives(sent.f())
  return [sent]
}

const isText = (ast: AST.AST): boolean =>
  AST.isStringKeyword(ast) || AST.isTemplateLiteral(ast) || (AST.isLiteral(ast) && typeof ast.literal === "string")

const takes = (ast: AST.AST, value: unknown): boolean =>
  Either.isRight(ParseResult.decodeUnknownEither(Schema.make(ast))(value))

/** The list or the object in a JSON text, if the schema takes one and does not take text. */
const fromText = (ast: AST.AST, text: string): unknown => {
  const wanted = alternatives(ast)
  const holds = wanted.some((one) => AST.isTupleType(one) || AST.isTypeLiteral(one))
  if (!holds || !/^\s*[[{]/.test(text) || (wanted.some(isText) && takes(ast, text))) return text
  return Either.getOrElse(Schema.decodeUnknownEither(Schema.parseJson())(text), () => text)
}

/** `raw` in the schema's form if its meaning is clear; otherwise unchanged, and the schema refuses it. */
export const lenient = (ast: AST.AST, raw: unknown): unknown => {
  const value = typeof raw === "string" ? fromText(ast, raw) : raw
  const wanted = alternatives(ast)
  if (Array.isArray(value)) {
    const list = wanted.find(AST.isTupleType)
    const rest = list?.rest[0]?.type
    return rest === undefined ? value : value.map((inner) => lenient(rest, inner))
  }
  if (!isObject(value)) return value
  const structs = wanted.filter(AST.isTypeLiteral)
  const fields = structs.flatMap(({ propertySignatures }) => propertySignatures)
  if (fields.length === 0) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const field = fields.find(({ name }) => name === key)
      if (field === undefined) return [[key, inner]]
      const none = inner === null && field.isOptional && !takes(field.type, null)
      return none ? [] : [[key, lenient(field.type, inner)]]
    })
  )
}

/** The type in words: `a list of texts`. */
export const inWords = (ast: AST.AST): string => [...new Set(alternatives(ast).flatMap(oneInWords))].join(" or ")

const many: Readonly<Record<string, string>> = { "a text": "texts", "a number": "numbers", "an object": "objects" }

const oneInWords = (ast: AST.AST): ReadonlyArray<string> => {
  if (AST.isUndefinedKeyword(ast)) return []
  if (AST.isTupleType(ast)) {
    const inner = ast.rest[0] === undefined ? "" : inWords(ast.rest[0].type)
    return [`a list${inner === "" || inner === "any value" ? "" : ` of ${many[inner] ?? inner}`}`]
  }
  if (AST.isTypeLiteral(ast)) {
    const names = ast.propertySignatures.map(({ name }) => String(name))
    const values = ast.indexSignatures[0] === undefined ? "" : inWords(ast.indexSignatures[0].type)
    if (names.length > 0) return [`an object with ${names.join(", ")}`]
    return [`an object${values === "" || values === "any value" ? "" : ` whose values are ${many[values] ?? values}`}`]
  }
  if (AST.isLiteral(ast)) return [JSON.stringify(ast.literal)]
  if (AST.isBooleanKeyword(ast)) return ["true or false"]
  if (AST.isNumberKeyword(ast)) return ["a number"]
  if (isText(ast)) return ["a text"]
  return ["any value"]
}

/** The encoded type at a path; null if the schema has no such path. */
export const typeAt = (ast: AST.AST, path: ReadonlyArray<PropertyKey>): AST.AST | null => {
  const [key, ...rest] = path
  if (key === undefined) return ast
  for (const one of alternatives(ast)) {
    const inner = AST.isTupleType(one)
      ? one.rest[0]?.type
      : AST.isTypeLiteral(one)
        ? (one.propertySignatures.find(({ name }) => name === key)?.type ?? one.indexSignatures[0]?.type)
        : undefined
    const found = inner === undefined ? null : typeAt(inner, rest)
    if (found !== null) return found
  }
  return null
}
