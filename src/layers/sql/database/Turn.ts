/**
 * Whose turn it is on the one connection of a client: a transaction has it until it has ended, and in between all fibers read.
 *
 * Weighed: `sql.reserve` for each read. It suspends the fiber even where the connection is free, which is a third of the cost of a
 * read. Remove the second way when it no longer does. docs/decisions/0002-direct-statements.md
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

interface Turns {
  readonly reserve: SqlClient.SqlClient["reserve"]
  /** Known from the first use on. */
  connection: Connection | null
  /** Transactions so far. */
  begun: number
  ended: number
}

/** How statements outside a transaction get the connection. */
export class Turn extends Context.Tag("backbeat/sql/Turn")<Turn, Turns>() {}

const known = new WeakMap<SqlClient.SqlClient, Turns>()

export const turnsOf = (sql: SqlClient.SqlClient): Turns => {
  const turns = known.get(sql) ?? { reserve: sql.reserve, connection: null, begun: 0, ended: 0 }
  known.set(sql, turns)
  return turns
}

/** For a transaction, which ends with the scope. */
export const takeTurn = (turns: Turns): Effect.Effect<Connection, SqlError, Scope.Scope> =>
  Effect.tap(turns.reserve, (connection) => {
    turns.connection = connection
    turns.begun += 1
    return Effect.addFinalizer(() =>
      Effect.sync(() => {
        turns.ended += 1
      })
    )
  })

/** Reads without a reservation while no transaction has the connection, and once more with one if a transaction has begun meanwhile. */
export const readBetween = <A>(turns: Turns, read: (connection: Connection) => Effect.Effect<A, SqlError>) => {
  const reserved = Effect.scoped(
    Effect.flatMap(turns.reserve, (connection) => {
      turns.connection = connection
      return read(connection)
    })
  )
  const { begun, connection, ended } = turns
  if (connection === null || begun > ended) return reserved
  return Effect.flatMap(read(connection), (found) => (turns.begun === begun ? Effect.succeed(found) : reserved))
}
