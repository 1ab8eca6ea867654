/** Makes directories that only the current user may enter. */
import { mkdirSync, statSync } from "node:fs"
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
