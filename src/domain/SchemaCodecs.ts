/**
 * Decodes and encodes as schemas do, with fewer allocations. A value that does not fit is left to the schema, which says what is
 * wrong or falls back. So are the kinds of schemas that are not compiled here. A test holds both equal.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** The value does not fit, or only the schema can tell. */
const unclear = Symbol("unclear")

type Compiled = (value: unknown) => unknown

const kept =
  (fits: (value: unknown) => boolean): Compiled =>
  (value) =>
    fits(value) ? value : unclear

const known = new WeakMap<AST.AST, Compiled>()

/** Compiles at the first use: a row whose labels are null needs no decoder for labels. */
const compiled = (ast: AST.AST): Compiled => {
  const found = known.get(ast)
  if (found !== undefined) return found
  const made = compile(ast)
  known.set(ast, made)
  return made
}

const lazily = (make: () => Compiled): Compiled => {
  let made: Compiled | undefined
  return (value) => {
    made ??= make()
    return made(value)
  }
}

const structOf = (ast: AST.TypeLiteral): Compiled => {
  const fields = ast.propertySignatures.map(({ isOptional, name, type }) => ({
    decode: lazily(() => compiled(type)),
    isOptional,
    name
  }))
  return (value) => {
    if (!Predicate.isRecord(value)) return unclear
    const made: Record<PropertyKey, unknown> = {}
    for (const { decode, isOptional, name } of fields) {
      if (!Object.hasOwn(value, name)) {
        if (isOptional) continue
        return unclear
      }
      const one = decode(value[name])
      if (one === unclear) return unclear
      made[name] = one
    }
    return made
  }
}

const arrayOf = (type: AST.AST): Compiled => {
  const decode = compiled(type)
  return (value) => {
    if (!Array.isArray(value)) return unclear
    const made: Array<unknown> = []
    for (const one of value) {
      const item = decode(one)
      if (item === unclear) return unclear
      made.push(item)
    }
    return made
  }
}

/** A schema with a fallback also decodes what does not fit it. */
const fallsBack = (ast: AST.AST): boolean =>
  ast.annotations[AST.DecodingFallbackAnnotationId] !== undefined ||
  (ast._tag === "Refinement" && fallsBack(ast.from)) ||
  (ast._tag === "Transformation" && (fallsBack(ast.from) || fallsBack(ast.to)))

const isNull = (ast: AST.AST): boolean => ast._tag === "Literal" && ast.literal === null

/** Whatever the schema can do without waiting. */
const schemaOf = (ast: AST.AST): Compiled => {
  const decode = ParseResult.decodeUnknownEither(Schema.make(ast))
  return (value) => Either.getOrElse(decode(value), () => unclear)
}

const compile = (ast: AST.AST): Compiled => {
  // It may refuse unknown fields, for example, also within its fields.
  if (ast.annotations[AST.ParseOptionsAnnotationId] !== undefined) return schemaOf(ast)
  switch (ast._tag) {
    case "StringKeyword":
      return kept(Predicate.isString)
    case "NumberKeyword":
      return kept(Predicate.isNumber)
    case "BooleanKeyword":
      return kept(Predicate.isBoolean)
    case "Literal":
      return kept((value) => value === ast.literal)
    case "Refinement": {
      const decode = compiled(ast.from)
      return (value) => {
        const made = decode(value)
        return made === unclear || Option.isSome(ast.filter(made, AST.defaultParseOption, ast)) ? unclear : made
      }
    }
    case "Transformation": {
      if (ast.transformation._tag !== "FinalTransformation") return schemaOf(ast)
      const { transformation } = ast
      const [from, to] = [compiled(ast.from), compiled(ast.to)]
      return (value) => {
        const made = from(value)
        if (made === unclear) return unclear
        const result = transformation.decode(made, AST.defaultParseOption, ast, value)
        return Either.isEither(result) && Either.isRight(result) ? to(result.right) : unclear
      }
    }
    case "TypeLiteral":
      return ast.indexSignatures.length > 0 || ast.propertySignatures.length === 0 ? schemaOf(ast) : structOf(ast)
    case "TupleType": {
      const [rest, ...more] = ast.rest
      return rest === undefined || more.length > 0 || ast.elements.length > 0 ? schemaOf(ast) : arrayOf(rest.type)
    }
    case "Union": {
      if (ast.types.some(fallsBack)) return schemaOf(ast)
      if (ast.types.every(({ _tag }) => _tag === "Literal")) {
        const values = new Set<unknown>(ast.types.flatMap((type) => (type._tag === "Literal" ? [type.literal] : [])))
        return kept((value) => values.has(value))
      }
      const others = ast.types.filter((type) => !isNull(type))
      const [other] = others
      if (other === undefined || others.length > 1 || others.length === ast.types.length) return schemaOf(ast)
      const decode = lazily(() => compiled(other))
      return (value) => {
        const made = decode(value)
        return made === unclear && value === null ? null : made
      }
    }
    case "Suspend":
      return lazily(() => compiled(ast.f()))
    default:
      return schemaOf(ast)
  }
}

type Codec<From, To> = (value: From) => Effect.Effect<To, ParseResult.ParseError>

const quickOr = <From, To>(quick: Compiled, make: () => Codec<From, To>): Codec<From, To> => {
  let slow: Codec<From, To> | undefined
  return (value) => {
    const made = quick(value)
    if (made !== unclear) return Effect.succeed(made as To)
    slow ??= make()
    return slow(value)
  }
}

export const decoderOf = <A, I>(schema: Schema.Schema<A, I>): Codec<unknown, A> =>
  quickOr(compiled(schema.ast), () => Schema.decodeUnknown(schema))

/** Whether what fits is its own encoding: the schema transforms nothing, and has no fallback, which only decoding knows. */
const isPlain = (ast: AST.AST): boolean => {
  if (ast.annotations[AST.DecodingFallbackAnnotationId] !== undefined) return false
  switch (ast._tag) {
    case "Declaration":
    case "Suspend":
    case "Transformation":
      return false
    case "Refinement":
      return isPlain(ast.from)
    case "Union":
      return ast.types.every(isPlain)
    case "TupleType":
      return [...ast.elements, ...ast.rest].every(({ type }) => isPlain(type))
    case "TypeLiteral":
      return [...ast.propertySignatures, ...ast.indexSignatures].every(({ type }) => isPlain(type))
    default:
      return true
  }
}

export const encoderOf = <A, I>(schema: Schema.Schema<A, I>): Codec<A, I> =>
  quickOr(
    lazily(() => (isPlain(schema.ast) ? compiled(schema.ast) : () => unclear)),
    () => Schema.encode(schema)
  )
