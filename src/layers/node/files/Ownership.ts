/** Checks who owns a home: its agents run as that user, so no other user may write to the queue. */
import { readFileSync, statSync } from "node:fs"
import { dirname, parse } from "node:path"
import * as Effect from "effect/Effect"
import { StorageError } from "../../../domain/Errors.ts"

const ownerOf = (path: string): number | null => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid ?? null
  } catch {
    return null
  }
}

const nameOf = (uid: number): string => {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => entry.split(":")[2] === String(uid))
    const name = line?.split(":")[0]
    return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`
  } catch {
    return `uid ${uid}`
  }
}

const told = (owner: number, euid: number): string => `it belongs to ${nameOf(owner)} and you are ${nameOf(euid)}`

/** The owner of the nearest directory above that exists: files made there appear to be theirs. */
const ownerAbove = (path: string): number | null => {
  let current = dirname(path)
  while (current !== parse(current).root && ownerOf(current) === null) current = dirname(current)
  return ownerOf(current)
}

/**
 * Says whose the database at `path` is where it is not this user's; null where it may be written. A directory that root
 * has made for a user is that user's. Where nothing is there yet, only root is refused, in another user's directory.
 */
export const foreignOwner = (path: string, euid: number | null = process.geteuid?.() ?? null): string | null => {
  if (euid === null) return null
  const file = ownerOf(path)
  const found = file ?? ownerOf(dirname(path)) ?? (euid === 0 ? ownerAbove(dirname(path)) : null)
  if (found === null || found === euid || (file === null && found === 0)) return null
  return told(found, euid)
}

/** Names the owner of the file at `path` where that is another user; null where it is this user's, or nothing is there. */
export const otherOwner = (path: string, euid: number | null = process.geteuid?.() ?? null): string | null => {
  const owner = ownerOf(path)
  return owner === null || euid === null || owner === euid ? null : nameOf(owner)
}

/**
 * The same as `foreignOwner` for a file other than the database, which counts first: next to it a file that is not there yet may be made.
 * A file that root has written for its users is not refused: it is replaced by one of this user's.
 */
export const foreignFile = (
  path: string,
  database: string,
  euid: number | null = process.geteuid?.() ?? null
): string | null => {
  const home = foreignOwner(database, euid)
  if (home !== null) return home
  const owner = ownerOf(path)
  if (owner === 0 || (owner === null && dirname(path) === dirname(database))) return null
  return foreignOwner(path, euid)
}

/** Fails with the error of commands that open the database where a file of the home may not be written by this user. Nothing is written. */
export const requireOwner = (path: string, foreign: () => string | null): Effect.Effect<void, StorageError> =>
  Effect.suspend(() => {
    const problem = foreign()
    return problem === null
      ? Effect.void
      : new StorageError({ operation: "open", reason: "other-user", path, cause: new Error(problem) })
  })

/**
 * Why a file that decides what runs as this user cannot be trusted: it belongs neither to this user nor to root. Null where it can be
 * trusted. Root also trusts the owner of the directory that holds it.
 */
export const untrustedOwner = (
  path: string,
  owner: number,
  euid: number | null = process.geteuid?.() ?? null
): string | null => {
  if (euid === null || owner === euid || owner === 0) return null
  if (euid === 0 && owner === ownerOf(dirname(path))) return null
  return `belongs to ${nameOf(owner)} and you are ${nameOf(euid)}`
}
