/** Processes of a torture run, found and signalled by what their environment says: a pid alone proves nothing. */
import { readdirSync, readFileSync } from "node:fs"

interface Found {
  readonly pid: number
  readonly command: string
  /** The claims whose spool its arguments name: those of a shim. */
  readonly claims: ReadonlyArray<string>
  /** The task it belongs to, null for Backbeat's own. */
  readonly task: string | null
}

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1")
  } catch {
    return ""
  }
}

const isAlive = (pid: number): boolean => {
  const stat = read(pid, "stat")
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)
  return state !== "" && state !== "Z" && state !== "X"
}

/** Whether a process was started within this run. */
const isOurs = (pid: number, root: string): boolean => pid > 1 && read(pid, "environ").includes(`${root}/`)

/** Everything of the run that lives. */
export const processesOf = (root: string): ReadonlyArray<Found> => {
  const found: Array<Found> = []
  for (const name of readdirSync("/proc")) {
    const pid = Number(name)
    if (!(pid > 1) || pid === process.pid) continue
    const environment = read(pid, "environ")
    if (!environment.includes(`${root}/`) || !isAlive(pid)) continue
    const task = /(?:^|\0)BACKBEAT_TASK_ID=([0-9a-z]+)/.exec(environment)?.[1] ?? null
    const words = read(pid, "cmdline").split("\0")
    found.push({
      pid,
      command: words.join(" ").replaceAll("\n", " ").trim().slice(0, 200),
      claims: words.flatMap((word) => /\/spool\/([0-9a-z]{16})$/.exec(word)?.[1] ?? []),
      task: /(?:^|\0)BACKBEAT_WORKER=1/.test(environment) ? null : task
    })
  }
  return found
}

export const childrenOf = (pid: number): ReadonlyArray<number> =>
  read(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number)

const send = (target: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(target, signal)
    return true
  } catch {
    return false
  }
}

/** Whether a process of this run has this number. */
export const lives = (pid: number, root: string): boolean => isOurs(pid, root) && isAlive(pid)

/** The processes that were killed, and when: until the system removes them, they seem to live. */
const killed = new Map<number, number>()
const dyingMs = 3000

const isDying = (pid: number): boolean => Date.now() - (killed.get(pid) ?? 0) < dyingMs

const signalOnce = (pid: number, root: string, name: NodeJS.Signals, target: number): boolean => {
  if (isDying(pid) || !lives(pid, root) || !send(target, name)) return false
  if (name === "SIGKILL") killed.set(pid, Date.now())
  return true
}

/** Signals a process of this run; false when there is none of that number, or it was killed a moment ago. */
export const signal = (pid: number, root: string, name: NodeJS.Signals): boolean => signalOnce(pid, root, name, pid)

/** The same for the group that a process leads. */
export const signalGroup = (leader: number, root: string, name: NodeJS.Signals): boolean =>
  signalOnce(leader, root, name, -leader)

/** Kills everything of the run until nothing is left; how many it were. */
export const killAll = (root: string): number => {
  let killed = 0
  for (let round = 0; round < 50; round++) {
    const found = processesOf(root)
    if (found.length === 0) break
    for (const { pid } of found) if (send(pid, "SIGKILL")) killed += 1
  }
  return killed
}
