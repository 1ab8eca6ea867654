/**
 * Statements without what `@effect/sql` lays around each: a span, a scope and a look-up of the connection. That costs 40 µs
 * for each statement where the code is warm and several times that where it is cold; SQLite itself takes less, and in a
 * transaction all other processes wait for it.
 *
 * Weighed: `sql.withoutTransforms()` and a disabled tracer, which leave the scope and the look-up. Remove this file when
 * `@effect/sql` runs a statement inside a transaction without them and `npm run bench -- --only cycles` stays at 0.3x of the
 * bare script or above. docs/decisions/0002-direct-statements.md
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlStatement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Str from "effect/String"
import { readBetween, Turn } from "./Turn.ts"

/** The names of columns are few, and each row brings them all. */
const remembering = (transform: (name: string) => string) => {
  const known = new Map<string, string>()
  return (name: string): string => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = transform(name)
    known.set(name, made)
    return made
  }
}

/** Of columns. */
export const toColumn = remembering(Str.camelToSnake)
export const fromColumn = remembering(Str.snakeToCamel)

const named = SqlStatement.defaultTransforms(fromColumn, false).array

const isStatement = (value: unknown): value is SqlStatement.Statement<unknown> =>
  SqlStatement.isFragment(value) && Predicate.hasProperty(value, "compile")

/** Runs a statement, and in the same way anything else that gives rows. */
export const direct = <E, R>(
  rows: Effect.Effect<ReadonlyArray<unknown>, E, R>
): Effect.Effect<ReadonlyArray<unknown>, E | SqlError, R> => {
  if (!isStatement(rows)) return rows
  const statement: SqlStatement.Statement<unknown> = rows
  return Effect.withFiberRuntime<ReadonlyArray<unknown>, E | SqlError, R>((fiber) => {
    // A test of query plans sees all statements, because they then go the normal way.
    if (fiber.getFiberRef(SqlStatement.currentTransformer)._tag === "Some") return statement
    const execute = (connection: Connection) => {
      const [text, parameters] = statement.compile()
      return connection.execute(text, parameters, named)
    }
    const transaction = Context.getOption(fiber.currentContext, SqlClient.TransactionConnection)
    if (transaction._tag === "Some") return execute(transaction.value[0])
    const turn = Context.getOption(fiber.currentContext, Turn)
    return turn._tag === "Some" ? readBetween(turn.value, execute) : statement
  })
}
