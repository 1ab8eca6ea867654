/** Environment and working directory of this process, as they are captured with a task. */
import { readlinkSync } from "node:fs"
import { isAbsolute, resolve } from "node:path"
import { settleHome } from "./Paths.ts"

/** With BACKBEAT_HOME settled, so that what a task starts in another directory means the same database. */
export const environment = (): Record<string, string> => {
  // A home that is refused is reported by the command that needs it.
  settleHome(process.env)
  const variables: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) variables[key] = value
  return variables
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
