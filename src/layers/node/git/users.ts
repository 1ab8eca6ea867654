/** Finds the processes that work in a workspace. */
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Workspace } from "../../../domain/workspace/Workspace.ts"

/** Processes that are named. */
const mostUsers = 10

/** A process as the file system of the system tells it: its directory and its command. */
const processes = async (): Promise<ReadonlyArray<{ readonly pid: string; readonly cwd: string }>> => {
  const pids = (await fs.readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => ({ pid, cwd: `/proc/${pid}/cwd` }))
}

/** How many parent directories are searched. */
const deepest = 100

/**
 * Whether the directory of a process lies in the one with this device and inode. It is climbed from within, by the mounts of
 * the process: where the workspace is mounted over its repository, the path of that directory means another one here.
 */
const liesIn = async (cwd: string, dev: number, ino: number): Promise<boolean> => {
  let below: { readonly dev: number; readonly ino: number } | null = null
  for (let [at, level] = [cwd, 0]; level < deepest; [at, level] = [`${at}/..`, level + 1]) {
    const found = await fs.stat(at).catch(() => null)
    if (found === null) return false
    if (found.dev === dev && found.ino === ino) return true
    // The root is its own parent.
    if (below?.dev === found.dev && below.ino === found.ino) return false
    below = found
  }
  return false
}

export const users = (workspace: Pick<Workspace, "path">) =>
  Effect.promise(async () => {
    const top = await fs.stat(workspace.path).catch(() => null)
    if (top === null) return []
    const found: Array<string> = []
    for (const { cwd, pid } of await processes()) {
      if (found.length >= mostUsers) break
      if (!(await liesIn(cwd, top.dev, top.ino))) continue
      const command = await fs.readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?")
      found.push(`${command.trim()} (pid ${pid})`)
    }
    return found
  })
