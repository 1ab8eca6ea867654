/**
 * Queries as `SqlSchema` has them, each worked out at its first use. A service has many and a command needs few of them, and what
 * their schemas cost is felt at every start.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { decoderOf, encoderOf } from "../../../domain/SchemaCodecs.ts"
import { direct } from "./direct.ts"

interface Command<I, II, R, E> {
  readonly Request: Schema.Schema<I, II>
  readonly execute: (request: II) => Effect.Effect<ReadonlyArray<unknown>, E, R>
}

interface Query<I, II, A, AI, R, E> {
  readonly Request: Schema.Schema<I, II>
  readonly Result: Schema.Schema<A, AI>
  readonly execute: (request: II) => Effect.Effect<ReadonlyArray<unknown>, E, R>
}

const atFirstUse = <I, A>(make: () => (request: I) => A): ((request: I) => A) => {
  let made: ((request: I) => A) | undefined
  return (request) => {
    made ??= make()
    return made(request)
  }
}

/** A query whose statement goes the short way: what `read` makes of its rows. */
const reading = <I, II, A, AI, R, E, B, E2>(
  query: () => Query<I, II, A, AI, R, E>,
  read: (result: Schema.Schema<A, AI>) => (rows: ReadonlyArray<unknown>) => Effect.Effect<B, E2>
) =>
  atFirstUse(() => {
    const { Request, Result, execute } = query()
    const encode = encoderOf(Request)
    const decode = read(Result)
    return (request: I) => Effect.flatMap(encode(request), (given) => Effect.flatMap(direct(execute(given)), decode))
  })

/** All rows. */
export const findAll = <I, II, A, AI, R, E>(query: () => Query<I, II, A, AI, R, E>) =>
  reading(query, (result) => decoderOf(Schema.Array(result)))

/** The first row, if there is one. */
export const findOne = <I, II, A, AI, R, E>(query: () => Query<I, II, A, AI, R, E>) =>
  reading(query, (result) => {
    const decode = decoderOf(result)
    return ([first]) => (first === undefined ? Effect.succeedNone : Effect.asSome(decode(first)))
  })

/** The first row, which must be there. */
export const single = <I, II, A, AI, R, E>(query: () => Query<I, II, A, AI, R, E>) =>
  reading(query, (result) => {
    const decode = decoderOf(result)
    return ([first]): Effect.Effect<A, ParseResult.ParseError | Cause.NoSuchElementException> =>
      first === undefined ? new Cause.NoSuchElementException() : decode(first)
  })

/** No rows. */
export const run = <I, II, R, E>(command: () => Command<I, II, R, E>) =>
  atFirstUse(() => {
    const { Request, execute } = command()
    const encode = encoderOf(Request)
    // What cannot be written is wrong in this program. A `ParseError` would pass for a damaged database.
    return (request: I) =>
      Effect.asVoid(Effect.flatMap(Effect.orDie(encode(request)), (given) => direct(execute(given))))
  })
