/** The connection to the one database file, for processes that write and for processes that only read. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { ParseError } from "effect/ParseResult"
import * as Scope from "effect/Scope"
import { StorageError } from "../../../domain/Errors.ts"
import { whileLocked } from "../../../domain/RetrySchedules.ts"
import { Paths } from "../../../services/Paths.ts"
import {
  closeDirectoryOf,
  createPrivateDeep,
  exists,
  type FileFailure,
  isInSealedDirectory
} from "../../node/files/DatabaseFiles.ts"
import { foreignOwner, requireOwner } from "../../node/files/Ownership.ts"
import { fromColumn, toColumn } from "./direct.ts"
import { asStorageError } from "./Immediate.ts"
import { type Migrations, migrate, standing } from "./migrate.ts"
import { noteOpened } from "./OpenedFile.ts"
import { isBusy, reasonOf } from "./StorageFailure.ts"

/**
 * Opens without touching the file. The client caches statements that failed to prepare like those that did not, so the
 * cache is short-lived: what failed on a locked or full disk is tried again.
 */
const connect = (filename: string, readonly: boolean) =>
  SqliteClient.make({
    filename,
    readonly,
    disableWAL: true,
    prepareCacheTTL: "10 seconds",
    transformQueryNames: toColumn,
    transformResultNames: fromColumn
  }).pipe(
    Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
    // The client opens by a constructor that throws.
    Effect.catchAllDefect((cause) => Effect.fail(new SqlError({ cause, message: "Failed to open" }))),
    Effect.tap((sql) => Effect.sync(() => noteOpened(sql, filename))),
    // Statements wait inside the driver, and every fiber of the process with them: the patient waiting is ours.
    Effect.tap((sql) => sql`PRAGMA busy_timeout = 50`)
  )

const openWriter = (path: string, migrations?: Migrations) =>
  Effect.gen(function* () {
    yield* requireOwner(path, () => foreignOwner(path))
    yield* createPrivateDeep(path)
    yield* closeDirectoryOf(path)
    const sql = yield* connect(path, false)
    // Before anything is written: the file may be of a newer Backbeat or of another program.
    const found = yield* standing(sql, path, migrations)
    // Only a file without tables takes it. Pages that are free then can be given back to the disk, a few at a time.
    if (found.standing === "empty") yield* sql`PRAGMA auto_vacuum = INCREMENTAL`
    yield* sql`PRAGMA journal_mode = WAL`
    yield* sql`PRAGMA synchronous = FULL`
    yield* sql`PRAGMA foreign_keys = ON`
    yield* sql`PRAGMA journal_size_limit = 67108864`
    if (found.standing !== "current") yield* migrate(sql, path, migrations)
    return sql
  })

const openEmpty = Effect.gen(function* () {
  const sql = yield* connect(":memory:", false)
  yield* migrate(sql, null)
  yield* sql`PRAGMA query_only = ON`
  return sql
})

const tooOld = (path: string, version: number) =>
  new StorageError({ operation: "open", reason: "schema-too-old", path, cause: new Error(`schema ${version}`) })

/** Where a reader finds an older schema it does what a writer would; where it may not write, it says what to do. */
const bringUpToDate = (path: string, version: number, migrations?: Migrations) =>
  Effect.scoped(openWriter(path, migrations)).pipe(
    Effect.asVoid,
    Effect.catchIf(
      (error) => reasonOf(error) === "read-only",
      () => tooOld(path, version)
    )
  )

const openReader = (path: string, migrations?: Migrations) =>
  Effect.gen(function* () {
    const there = yield* Effect.mapError(
      exists(path),
      (cause) => new StorageError({ operation: "open", reason: "unreadable", path, cause })
    )
    if (!there) return yield* openEmpty
    const sql = yield* connect(path, true)
    const found = yield* standing(sql, path, migrations)
    // Another process is about to fill a new file: there is nothing in it yet.
    if (found.standing === "empty") return yield* openEmpty
    if (found.standing === "old") yield* bringUpToDate(path, found.version, migrations)
    return sql
  })

/** Each attempt to open has its own scope, so that a failed one leaves no connection open. */
const inOwnScope = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    return yield* effect.pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

/** In a directory that cannot be written SQLite only says that it cannot open the file. */
const explained = ({ cause, operation, path, reason }: StorageError) =>
  Effect.flatMap(
    reason === "unreadable" && path !== null ? isInSealedDirectory(path) : Effect.succeed(false),
    (sealed) => Effect.fail(new StorageError({ operation, path, cause, reason: sealed ? "read-only" : reason }))
  )

type Opening = Effect.Effect<SqlClient.SqlClient, StorageError | SqlError | ParseError | FileFailure, Scope.Scope>

const opened = (path: string, opening: Opening) =>
  inOwnScope(opening).pipe(
    Effect.retry({ schedule: whileLocked, while: isBusy }),
    asStorageError("open", path),
    Effect.catchTag("StorageError", explained)
  )

const layerOf = (open: (path: string) => Opening) =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.flatMap(Paths, ({ database }) => opened(database, open(database)))
  )

/** With other migrations than the product's own: for tests of migrating. */
export const layerMigrating = (migrations: Migrations) => layerOf((path) => openWriter(path, migrations))

/** Makes home and file where they are missing and brings the schema up to date. */
export const layerWriter: Layer.Layer<SqlClient.SqlClient, StorageError, Paths> = layerOf((path) => openWriter(path))

/** The same for a reader. */
export const layerReaderMigrating = (migrations: Migrations) => layerOf((path) => openReader(path, migrations))

/** Never writes, except that it brings an older schema up to date. Without a database it is an empty one in memory. */
export const layerReader: Layer.Layer<SqlClient.SqlClient, StorageError, Paths> = layerOf((path) => openReader(path))
