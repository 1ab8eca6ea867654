/** Reads from a repository's files which commit is checked out, where they say it plainly: far faster than any program. */
import { constants } from "node:fs"
import { open, realpath, stat } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import type { GitHead } from "../../../domain/task/Checkpoint.ts"

/** No file of git's that is read here is larger. */
const mostBytes = 64 * 1024 * 1024

/** Null for anything but an ordinary file: opening a named pipe could wait forever, and a device may have no end. */
const textOf = async (path: string): Promise<string | null> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null)
  if (file === null) return null
  try {
    const found = await file.stat()
    return found.isFile() && found.size <= mostBytes ? await file.readFile("utf8") : null
  } catch {
    return null
  } finally {
    await file.close()
  }
}

/** The root of the work tree that a directory is in, and whether its `.git` is a file; null where there is none. */
const rootOf = async (directory: string): Promise<{ readonly root: string; readonly linked: boolean } | null> => {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const found = await stat(join(at, ".git")).catch(() => null)
    if (found?.isDirectory() === true || found?.isFile() === true) return { root: at, linked: found.isFile() }
    if (at === dirname(at)) return null
  }
}

/** The `.git` of the work tree that a directory is in: a directory, or in a linked work tree a file that names one. */
const dotGit = async (directory: string): Promise<string | null> => {
  const found = await rootOf(directory)
  if (found === null) return null
  const path = join(found.root, ".git")
  if (!found.linked) return path
  const [, named] = /^gitdir: (.+)\n?$/.exec((await textOf(path)) ?? "") ?? []
  return named === undefined ? null : resolve(found.root, named)
}

/** The directory without links, and the root of the work tree around it; a directory that is gone is its own root. */
export const workTreeFromFiles = async (directory: string): Promise<string> => {
  const real = await realpath(directory).catch(() => resolve(directory))
  return (await rootOf(real))?.root ?? real
}

/** Whether the directory is in a work tree, as far as can be known without asking git. */
export const isInWorkTree = (directory: string): Promise<boolean> =>
  dotGit(directory).then(
    (found) => found !== null,
    () => false
  )

const commitPattern = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

const packed = async (common: string, ref: string): Promise<string | null> => {
  const line = ((await textOf(join(common, "packed-refs"))) ?? "").split("\n").find((line) => line.endsWith(` ${ref}`))
  return line?.split(" ")[0] ?? null
}

/** `unclear`: the files do not say it plainly, and git has to be asked. https://git-scm.com/docs/gitrepository-layout */
export const headFromFiles = async (directory: string): Promise<GitHead | null | "unclear"> => {
  const gitDirectory = await dotGit(directory)
  if (gitDirectory === null) return null
  const head = (await textOf(join(gitDirectory, "HEAD")))?.trim() ?? ""
  if (commitPattern.test(head)) return { branch: null, commit: head }
  const [, ref = "", branch = ""] = /^ref: (refs\/heads\/(.+))$/.exec(head) ?? []
  if (branch === "" || branch === ".invalid") return "unclear"
  const common = resolve(gitDirectory, ((await textOf(join(gitDirectory, "commondir"))) ?? ".").trim())
  const commit = (await textOf(join(common, ref)))?.trim() ?? (await packed(common, ref))
  return commit !== null && commitPattern.test(commit) ? { branch, commit } : "unclear"
}
