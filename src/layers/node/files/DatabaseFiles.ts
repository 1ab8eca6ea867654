/** The files around the database, which SQLite does not make as private as they have to be. */
import * as fs from "node:fs"
import { basename, dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { closeToOthers, makePrivateDirectory } from "./PrivateDirectory.ts"
import { codeOf } from "./SystemCode.ts"

/** The system refused; `cause.code` says why. */
export class FileFailure extends Data.TaggedError("FileFailure")<{ readonly cause: unknown }> {}

const attempt = <A>(run: () => A): Effect.Effect<A, FileFailure> =>
  Effect.try({ try: run, catch: (cause) => new FileFailure({ cause }) })

/**
 * Makes an empty file of mode 0600 and returns true; false where the path is taken. What is there is never opened:
 * closing a descriptor of a database drops the locks that this process holds on it.
 */
export const createPrivate = (path: string): Effect.Effect<boolean, FileFailure> =>
  attempt(() => {
    fs.closeSync(fs.openSync(path, "wx", 0o600))
    return true
  }).pipe(
    Effect.catchIf(
      (failure) => codeOf(failure.cause) === "EEXIST",
      () => Effect.succeed(false)
    )
  )

/** The same, with the directories above made (mode 0700) where they are missing. */
export const createPrivateDeep = (path: string): Effect.Effect<boolean, FileFailure> =>
  createPrivate(path).pipe(
    Effect.catchIf(
      (failure) => codeOf(failure.cause) === "ENOENT",
      () =>
        Effect.zipRight(
          attempt(() => makePrivateDirectory(dirname(path))),
          createPrivate(path)
        )
    )
  )

/** Others could replace the database and what lies next to it, such as the spool. */
export const closeDirectoryOf = (path: string): Effect.Effect<void, FileFailure> =>
  attempt(() => closeToOthers(dirname(path)))

export const exists = (path: string): Effect.Effect<boolean, FileFailure> =>
  attempt(() => fs.statSync(path, { throwIfNoEntry: false }) !== undefined)

/**
 * Which file is at `path`, by its device and inode; null where there is no file, or none can be seen. SQLite compares the same inode before it writes
 * with a rollback journal (SQLITE_READONLY_DBMOVED); with a write-ahead log it does not.
 */
export const fileAt = (path: string): string | null => {
  try {
    const found = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? null : `${found.dev}:${found.ino}`
  } catch {
    return null
  }
}

const allows = (path: string, mode: number): Effect.Effect<boolean> =>
  Effect.match(
    attempt(() => fs.accessSync(path, mode)),
    { onFailure: () => false, onSuccess: () => true }
  )

/** The file could be read, but its directory cannot be written: SQLite then cannot open a database in WAL mode. */
export const isInSealedDirectory = (path: string): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    return (yield* allows(path, fs.constants.R_OK)) && !(yield* allows(dirname(path), fs.constants.W_OK))
  })

/** Paths of the files next to `path` whose names begin with its name and end with `suffix`, in the order of names. */
export const companions = (path: string, suffix: string): Effect.Effect<ReadonlyArray<string>, FileFailure> =>
  attempt(() =>
    fs
      .readdirSync(dirname(path))
      .filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith(suffix))
      .sort()
      .map((name) => join(dirname(path), name))
  )

export const rename = (from: string, to: string): Effect.Effect<void, FileFailure> =>
  attempt(() => fs.renameSync(from, to))

/** Missing is fine. */
export const remove = (path: string): Effect.Effect<void, FileFailure> =>
  attempt(() => fs.rmSync(path, { force: true }))
