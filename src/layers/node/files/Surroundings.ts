/** Environment and working directory of this process, as they are captured with a task. */
import { readFileSync, readlinkSync, statSync } from "node:fs"
import { isAbsolute, resolve } from "node:path"
import { settleHome } from "./Paths.ts"

/** With BACKBEAT_HOME settled, so that what a task starts in another directory means the same database. */
export const environment = (): Record<string, string> => {
  // A home that is refused is reported by the command that needs it.
  settleHome(process.env)
  const variables: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) variables[key] = value
  return variables.BACKBEAT_TASK_ID === undefined ? { ...variables, ...marksAbove() } : variables
}

/** Processes between an agent and what it starts: shells, package runners, the agent's own helpers. */
const mostAncestors = 40

const markOf = (environ: string, name: string): string | null =>
  new RegExp(`(?:^|\0)${name}=([^\0]*)`).exec(environ)?.[1] ?? null

/**
 * The marks of the task that this process runs in, from the processes above it: a variable can be dropped on the way. Linux
 * alone tells the environment of a process. A worker belongs to no task, whatever started it.
 */
const marksAbove = (): Record<string, string> => {
  if (process.platform !== "linux" || process.env.BACKBEAT_WORKER === "1") return {}
  let pid = process.ppid
  for (let level = 0; pid > 1 && level < mostAncestors; level += 1) {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, "latin1")
      if (markOf(environ, "BACKBEAT_WORKER") === "1") return {}
      const task = markOf(environ, "BACKBEAT_TASK_ID")
      if (task !== null) return { BACKBEAT_TASK_ID: task, BACKBEAT_DEPTH: markOf(environ, "BACKBEAT_DEPTH") ?? "0" }
      // Fields of /proc/PID/stat count from the last ")": the parent is the second.
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
      pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
    } catch {
      // Another user's process, or one that has just ended.
      return {}
    }
  }
  return {}
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
