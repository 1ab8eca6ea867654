/** What the driver and the file system report, as the one error that callers know. */
import type { SqlError } from "@effect/sql/SqlError"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import { StorageError } from "../../../domain/Errors.ts"
import type { FileFailure } from "../../node/files/DatabaseFiles.ts"

export type DriverError = SqlError | ParseResult.ParseError | FileFailure

export const isDriverError = <E>(error: E): error is Extract<E, DriverError> =>
  Predicate.isTagged(error, "SqlError") ||
  Predicate.isTagged(error, "ParseError") ||
  Predicate.isTagged(error, "FileFailure")

type Reason = StorageError["reason"]

/** The first match counts. Codes of SQLite (extended ones begin with the plain one) and of the system. */
const reasons: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/^SQLITE_(BUSY|LOCKED)/, "busy"],
  // The shared-memory file could not grow, which happens on a full disk.
  [/^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/, "full"],
  [/^(SQLITE_READONLY|EACCES|EPERM|EROFS)/, "read-only"],
  [/^SQLITE_(CORRUPT|NOTADB)/, "corrupt"],
  [/^(SQLITE_CANTOPEN|SQLITE_IOERR|SQLITE_PERM|SQLITE_AUTH|E[A-Z]+$)/, "unreadable"]
]

/** The code of an error or of what caused it, as far down as one is found. */
const codeOf = (error: unknown): string | null => {
  if (!Predicate.hasProperty(error, "code") || !Predicate.isString(error.code)) {
    return Predicate.hasProperty(error, "cause") ? codeOf(error.cause) : null
  }
  return error.code
}

export const reasonOf = (error: unknown): Reason => {
  if (ParseResult.isParseError(error)) return "unfit"
  const code = codeOf(error)
  return reasons.find(([pattern]) => code !== null && pattern.test(code))?.[1] ?? "unknown"
}

export const isBusy = (error: unknown): boolean => reasonOf(error) === "busy"

/** Where a value did not fit, read or written. Never the values: they may be prompts or environments. */
const withoutValues = (error: ParseResult.ParseError): Error => {
  const places = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ path }) => path.map(String).join("."))
  return new Error(`a value does not fit its schema at: ${Array.from(new Set(places)).join(", ")}`)
}

export const storageError = (operation: string, path: string | null, error: unknown): StorageError =>
  new StorageError({
    operation,
    path,
    reason: reasonOf(error),
    cause: ParseResult.isParseError(error) ? withoutValues(error) : error
  })
