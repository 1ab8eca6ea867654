/** Brings a database to the schema of this version, once over all processes, with a copy of the old one put aside. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { migrations as known, type Migration } from "../../../../migrations/index.ts"
import { StorageError } from "../../../domain/Errors.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { companions, createPrivate, type FileFailure, remove, rename } from "../../node/files/DatabaseFiles.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { withImmediate } from "./Immediate.ts"
import * as Statement from "./Statement.ts"

export type Migrations = Readonly<Record<string, Migration>>

/** Marks a file as ours: "Bea1". */
const applicationId = 0x42656131

/** "Beat": the mark of databases that were made before the first release, with other tables. */
const unreleasedId = 0x42656174

const keptBackups = 3

const numbered = (migrations: Migrations): ReadonlyArray<readonly [number, Migration]> =>
  Object.entries(migrations).map(([name, migration]) => [Number.parseInt(name, 10), migration])

const latestOf = (migrations: Migrations): number => Math.max(0, ...numbered(migrations).map(([version]) => version))

/** The schema that this version knows. */
export const latest = latestOf(known)

/** `empty` is a database without any table. */
type Standing = "current" | "old" | "empty"

const schemaError = (path: string | null, reason: StorageError["reason"], detail: string) =>
  new StorageError({ operation: "open", reason, path, cause: new Error(detail) })

const Header = Schema.Struct({ version: Schema.Int, applicationId: Schema.Int, tables: Schema.Int })

/** In one statement, and so of one moment: another process may be making the tables right now. */
const readHeader = (sql: SqlClient.SqlClient) =>
  Statement.single(() => ({
    Request: Schema.Void,
    Result: Header,
    execute: () => sql`
      SELECT user_version AS version, application_id, (SELECT count(*) FROM sqlite_master) AS tables
      FROM pragma_user_version, pragma_application_id
    `
  }))().pipe(orDieWhenMissing)

/** The state and version of the schema. Fails for one that is too new and for files of other programs. */
export const standing = (
  sql: SqlClient.SqlClient,
  path: string | null,
  migrations: Migrations = known
): Effect.Effect<{ readonly standing: Standing; readonly version: number }, StorageError | SqlError | ParseError> =>
  Effect.gen(function* () {
    const header = yield* readHeader(sql)
    const latest = latestOf(migrations)
    if (header.applicationId === applicationId) {
      if (header.version > latest) {
        return yield* schemaError(path, "schema-too-new", `schema ${header.version}, known up to ${latest}`)
      }
      return { standing: header.version === latest ? "current" : "old", version: header.version }
    }
    if (header.applicationId === unreleasedId) {
      return yield* schemaError(path, "unreleased", `schema ${header.version} from before the first release`)
    }
    if (header.tables > 0 || header.version !== 0 || header.applicationId !== 0) {
      return yield* schemaError(path, "corrupt", "a database of another program")
    }
    return { standing: "empty", version: 0 }
  })

/**
 * Copies the database as it was last committed. The caller holds the write lock, so no other process can commit
 * meanwhile. The copy is read through a separate connection: the caller's cannot be copied in the middle of a transaction.
 */
const backUp = (path: string, version: number) =>
  Effect.gen(function* () {
    yield* Effect.forEach(yield* companions(path, ".partial"), remove, { discard: true })
    const now = yield* Clock.currentTimeMillis
    const target = `${path}.v${version}-${now}.backup`
    const partial = `${target}.partial`
    yield* createPrivate(partial)
    const copy = Effect.gen(function* () {
      const client = yield* SqliteClient.make({ filename: path, readonly: true, disableWAL: true })
      // Straight on its connection: inside the caller's transaction a statement would run on the caller's.
      const connection = yield* client.reserve
      yield* connection.execute("VACUUM INTO ?", [partial], undefined)
    })
    yield* Effect.scoped(copy).pipe(Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make))
    yield* rename(partial, target)
    const backups = yield* companions(path, ".backup")
    const byAge = Array.from(backups).sort((left, right) => stampOf(left) - stampOf(right))
    yield* Effect.forEach(byAge.slice(0, -keptBackups), remove, { discard: true })
  })

const stampOf = (backup: string): number => Number(/-(\d+)\.backup$/.exec(backup)?.[1] ?? 0)

const runPending = (sql: SqlClient.SqlClient, path: string | null, from: number, migrations: Migrations) =>
  Effect.gen(function* () {
    for (const [version, migration] of numbered(migrations)) {
      if (version > from) yield* Effect.provideService(migration, SqlClient.SqlClient, sql)
    }
    const broken = yield* sql`PRAGMA foreign_key_check`
    if (broken.length > 0) {
      return yield* schemaError(path, "corrupt", `${broken.length} rows would lose what they refer to`)
    }
    // A pragma takes no bound values.
    yield* sql.unsafe(`PRAGMA application_id = ${applicationId}`)
    yield* sql.unsafe(`PRAGMA user_version = ${latestOf(migrations)}`)
  })

/**
 * Runs what is missing in one immediate transaction. Processes that come at the same time wait for it and find the work
 * done. `path` is null in memory, where there is nothing to copy.
 */
export const migrate = (
  sql: SqlClient.SqlClient,
  path: string | null,
  migrations: Migrations = known
): Effect.Effect<void, StorageError | SqlError | ParseError | FileFailure> =>
  Effect.gen(function* () {
    const found = yield* standing(sql, path, migrations)
    if (found.standing === "current") return
    if (path !== null && found.standing === "old") yield* backUp(path, found.version)
    yield* runPending(sql, path, found.version, migrations)
    yield* failpoint("migrate.commit")
  }).pipe(
    withImmediate(sql),
    // Off while tables are rebuilt, else dropping an old one empties those that refer to it; checked before the commit.
    (transaction) => Effect.zipRight(sql`PRAGMA foreign_keys = OFF`, transaction),
    Effect.zipLeft(sql`PRAGMA foreign_keys = ON`)
  )
