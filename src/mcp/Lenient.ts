/** Accepts arguments as clients send them: `null` for an omitted one, and lists and objects as JSON text. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isObject } from "../domain/isObject.ts"
import { alternatives } from "../domain/SchemaPlaces.ts"

export const isText = (ast: AST.AST): boolean =>
  AST.isStringKeyword(ast) || AST.isTemplateLiteral(ast) || (AST.isLiteral(ast) && typeof ast.literal === "string")

const takes = (ast: AST.AST, value: unknown): boolean =>
  Either.isRight(ParseResult.decodeUnknownEither(Schema.make(AST.encodedAST(ast)))(value))

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
