/** Whether a path in a commit is one of the work tree, and leads to nothing outside of it. */
import * as fs from "node:fs/promises"
import { join } from "node:path"

/** No commit that git makes has these in a path, but an agent can write one that has: git refuses to check it out. */
export const isForeign = (part: string) => part === "" || part === "." || part === ".." || part.toLowerCase() === ".git"

/**
 * The first part of a path that makes it none of this work tree: a parent that is a link or another file, so that the path leads
 * elsewhere, or a name that no work tree has. Null where there is none. What such a path leads to is neither read nor removed.
 */
export const obstacleOf = async (tree: string, path: string): Promise<string | null> => {
  const parts = path.split("/")
  if (parts.some(isForeign)) return path
  for (let end = 1; end < parts.length; end += 1) {
    const above = parts.slice(0, end).join("/")
    const state = await fs.lstat(join(tree, above)).catch(() => null)
    if (state === null) return null
    if (!state.isDirectory()) return above
  }
  return null
}
