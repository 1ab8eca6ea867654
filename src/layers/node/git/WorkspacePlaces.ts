/** Where workspaces are, and what git is told about one, whose files and whose `.git` belong to the agent. */
import { lstatSync } from "node:fs"
import { join } from "node:path"

/** The directories of workspaces that this process works with: one, except in tests. */
const roots = new Set<string>()

/** To be called before git works in a workspace: its path alone tells that it is one, which no agent can change. */
export const knowWorkspaces = (root: string): void => {
  roots.add(root)
}

const isDirectory = (path: string): boolean => {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

/** The top of the workspace that a directory is in, `ROOT/ID/NAME`, or null. */
export const workspaceOf = (directory: string): string | null => {
  for (const root of roots) {
    if (!directory.startsWith(`${root}/`)) continue
    const [id = "", name = ""] = directory.slice(root.length + 1).split("/")
    if (name !== "") return join(root, id, name)
  }
  return null
}

/** Whether its files and its repository are in it: a link or a file in the place of `.git` leads to another repository. */
export const hasRepository = (top: string): boolean => isDirectory(top) && isDirectory(join(top, ".git"))

/**
 * The variables with which git works on that repository and those files, and no others: an agent can name another work tree in the
 * configuration, and where `.git` is damaged git would take a repository above it. They win over both. None for other directories; null
 * for a workspace that has no repository any more.
 */
export const workspaceVariables = (directory: string): Readonly<Record<string, string>> | null => {
  const top = workspaceOf(directory)
  if (top === null) return {}
  return hasRepository(top) ? { GIT_DIR: join(top, ".git"), GIT_WORK_TREE: top } : null
}
