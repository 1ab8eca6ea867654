/** Environment and working directory of this process, as they are captured with a task. */
import { readlinkSync, statSync } from "node:fs"
import { isAbsolute, resolve } from "node:path"
import { marksAbove } from "../process/TaskMarks.ts"
import { settleHome } from "./Paths.ts"

/** With BACKBEAT_HOME settled, so that what a task starts in another directory means the same database. */
export const environment = (): Record<string, string> => {
  // A home that is refused is reported by the command that needs it.
  settleHome(process.env)
  const variables: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) variables[key] = value
  return { ...variables, ...marksAbove() }
}

/** What the system calls a directory that was removed: its old path and a mark, which leads nowhere. */
const removedDirectory = (): string => {
  try {
    return readlinkSync("/proc/self/cwd")
  } catch {
    return "/(the current directory is gone)"
  }
}

/**
 * Absolute. Where the directory is gone it is the path by which the shell knew it, which may be there again; never the
 * root directory, in which no task should run by accident.
 */
export const workingDirectory = (): string => {
  try {
    return process.cwd()
  } catch {
    const known = process.env.PWD ?? ""
    return isAbsolute(known) && resolve(known) !== "/" ? known : removedDirectory()
  }
}

/**
 * Whether this process sees a workspace in the place of its home: it runs in the mount namespace of a task. A worker here would
 * take the workspace for the repository of other tasks too, and everything that it starts inherits the view.
 */
export const isMounted = (variables: Readonly<Record<string, string | undefined>>): boolean => {
  const { BACKBEAT_WORKSPACE: workspace, BACKBEAT_WORKSPACE_HOME: home } = variables
  if (!workspace || !home || workspace === home) return false
  try {
    const [seen, own] = [statSync(home), statSync(workspace)]
    return seen.dev === own.dev && seen.ino === own.ino
  } catch {
    return false
  }
}
