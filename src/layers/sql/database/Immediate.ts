/** Transactions that take the write lock up front, and the patience of every statement with a locked database. */
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { StorageError } from "../../../domain/Errors.ts"
import { whileLocked } from "../../../domain/RetrySchedules.ts"
import { count } from "../../../services/Counters.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { announceWork } from "../../../services/OwnWork.ts"
import { staysInPlace } from "./OpenedFile.ts"
import { type DriverError, isBusy, isDriverError, storageError } from "./StorageFailure.ts"
import { Turn, takeTurn, turnsOf } from "./Turn.ts"

/**
 * A read followed by a write cannot fail half-way in it because another process has written. Nested calls become
 * savepoints. Statements go through the cache of prepared ones: unprepared, a damaged file would be a defect.
 */
export const withImmediate = (sql: SqlClient.SqlClient) => {
  const turns = turnsOf(sql)
  const transaction = SqlClient.makeWithTransaction({
    transactionTag: SqlClient.TransactionConnection,
    spanAttributes: [["db.system.name", "sqlite"]],
    acquireConnection: Effect.flatMap(Scope.make(), (scope) =>
      Effect.map(Scope.extend(takeTurn(turns), scope), (connection) => [scope, connection] as const)
    ),
    begin: (connection) => connection.execute("BEGIN IMMEDIATE", [], undefined),
    savepoint: (connection, id) => connection.execute(`SAVEPOINT backbeat_${id}`, [], undefined),
    // A commit that fails (the disk is full) leaves the transaction open.
    commit: (connection) =>
      Effect.tapError(connection.execute("COMMIT", [], undefined), () =>
        Effect.ignore(connection.execute("ROLLBACK", [], undefined))
      ),
    // After a failed BEGIN, and after errors on which SQLite rolls back automatically, there is nothing to roll back.
    rollback: (connection) => Effect.ignore(connection.execute("ROLLBACK", [], undefined)),
    rollbackSavepoint: (connection, id) =>
      Effect.ignore(connection.execute(`ROLLBACK TO SAVEPOINT backbeat_${id}`, [], undefined))
  })
  // A failed commit comes out of `makeWithTransaction` as a defect.
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.catchSomeDefect(transaction(effect), (defect) =>
      defect instanceof SqlError ? Option.some(Effect.fail(defect)) : Option.none()
    )
}

/** What is left of the errors of an effect with statements in it. */
type Stored<E> = Exclude<E | SqlError, Extract<E | SqlError, DriverError>> | StorageError

type Storage = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, Stored<E>, R>

/** Tags what the driver reports with the operation it broke; errors of the domain pass. */
export const asStorageError =
  (operation: string, path: string | null): Storage =>
  <A, E, R>(effect: Effect.Effect<A, E | SqlError, R>) =>
    Effect.catchIf(effect, isDriverError<E | SqlError>, (error) => Effect.fail(storageError(operation, path, error)))

export interface Access {
  /** Statements that only read, each on its own. */
  readonly read: (operation: string) => Storage
  /** One immediate transaction. It may run several times, all but the last without effect. */
  readonly write: (operation: string) => Storage
  /** Like `write`, but it fails immediately where the database is locked: for what is decided again before each attempt. */
  readonly writeOnce: (operation: string) => Storage
  /** Like `write`, for what may make a task ready or stop one: after the commit it wakes the worker of this process. */
  readonly writeWork: (operation: string) => Storage
}

/** How every method of the SQL layers reaches the database at `path`. */
export const makeAccess = (sql: SqlClient.SqlClient, path: string | null): Access => {
  const transaction = withImmediate(sql)
  const inPlace = staysInPlace(sql)
  const withTurn = <R>(context: Context.Context<R>) => Context.add(context, Turn, turnsOf(sql))
  // One span per operation, where spans are collected. A span per statement would add about a third to its cost.
  const retryWhileBusy = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
    const quiet = Effect.withTracerEnabled(effect, false)
    const again = Effect.zipRight(count("storage_retries"), quiet)
    return Effect.catchIf(quiet, isBusy, () => Effect.retry(again, { schedule: whileLocked, while: isBusy }))
  }
  const writing =
    (operation: string, patient: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>): Storage =>
    <A, E, R>(effect: Effect.Effect<A, E, R>) => {
      const place = operation.replaceAll(" ", "-")
      const checked = Effect.zipLeft(effect, Effect.zipRight(inPlace(operation), failpoint(`${place}.commit`)))
      return patient(transaction(checked)).pipe(
        asStorageError(operation, path),
        Effect.zipLeft(failpoint(`${place}.committed`))
      )
    }
  const write = (operation: string) => writing(operation, retryWhileBusy)
  return {
    read:
      (operation) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.zipRight(
          inPlace(operation),
          asStorageError(operation, path)(retryWhileBusy(Effect.mapInputContext(effect, withTurn<R>)))
        ),
    write,
    writeOnce: (operation) => writing(operation, (effect) => Effect.withTracerEnabled(effect, false)),
    writeWork: (operation) => (effect) => Effect.zipLeft(write(operation)(effect), announceWork)
  }
}
