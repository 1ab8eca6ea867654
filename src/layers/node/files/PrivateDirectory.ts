/** Directories that only the current user may enter, or at least change. */
import { chmodSync, lstatSync, mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

const make = (path: string, withParents: boolean): void => {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
    if (!withParents || !isMissing(error) || dirname(path) === path) throw error
    make(dirname(path), true)
    make(path, false)
  }
}

/**
 * Makes the directory and its missing parents with mode 0700; one that exists is not changed. Node's own `recursive`
 * tries forever, at full speed, where a file system refuses with ENOENT below a directory that exists, as /proc does.
 */
export const makePrivateDirectory = (path: string): void => make(path, true)

const writableByOthers = 0o022

/** In a directory with it, such as /tmp, only the owner of a file can replace it. */
const sticky = 0o1000

/**
 * Takes from others the right to change a directory of Backbeat's: they could replace the files in it. What a link leads to is the
 * user's, and stays as it is.
 */
export const closeToOthers = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) return
  if ((found.mode & writableByOthers) === 0 || (found.mode & sticky) !== 0) return
  try {
    chmodSync(path, found.mode & 0o7777 & ~writableByOthers)
  } catch {
    // A disk that takes no change, or knows no modes.
  }
}
