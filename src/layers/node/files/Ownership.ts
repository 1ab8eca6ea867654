/** Checks who owns a home: its agents run as that user, so no other user may write to the queue. */
import { readFileSync, statSync } from "node:fs"
import { dirname, parse } from "node:path"

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
  return `it belongs to ${nameOf(found)} and you are ${nameOf(euid)}`
}

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
