/** Which file each connection has open: the path may lead to another one later, or to none. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { StorageError } from "../../../domain/Errors.ts"
import { fileAt } from "../../node/files/DatabaseFiles.ts"

interface OpenedFile {
  readonly path: string
  readonly file: string
}

const opened = new WeakMap<SqlClient.SqlClient, OpenedFile>()

/** To be called when the connection is open. Services are made later, some of them at their first use. */
export const noteOpened = (sql: SqlClient.SqlClient, path: string): void => {
  const file = fileAt(path)
  if (file !== null) opened.set(sql, { path, file })
}

/** Null where it is not a file. */
export const openedFile = (sql: SqlClient.SqlClient): string | null => opened.get(sql)?.file ?? null

/**
 * Fails where another file is at the path of the one that is open, or none. What is written to a file without a name is lost with
 * the process, and what is read from it never changes.
 */
export const staysInPlace =
  (sql: SqlClient.SqlClient) =>
  (operation: string): Effect.Effect<void, StorageError> =>
    Effect.suspend(() => {
      const known = opened.get(sql)
      if (known === undefined || fileAt(known.path) === known.file) return Effect.void
      const cause = new Error("another file is at its path, or none")
      return new StorageError({ operation, reason: "moved", path: known.path, cause })
    })
