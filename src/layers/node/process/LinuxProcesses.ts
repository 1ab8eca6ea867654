/** Processes as Linux shows them, in /proc. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs"
import { hostname } from "node:os"
import * as Effect from "effect/Effect"
import { codeOf } from "../files/SystemCode.ts"
import { hostOf } from "./HostId.ts"
import type { Marks, ProcessEntry, ProcessReader } from "./ProcessEntry.ts"

/** CPU times come in ticks of a hundredth of a second on every Linux that node runs on (USER_HZ). */
const millisPerTick = 10

/** Reads a `/proc/<pid>/stat` line: fields as in proc(5), counted from the last `)` since a name may hold anything. */
export const parseStat = (text: string): ProcessEntry | null => {
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const field = (number: number): number => Number(fields[number - 3])
  const state = fields[0]
  const startTime = fields[22 - 3]
  if (!(pid > 0) || state === undefined || startTime === undefined) return null
  return {
    pid,
    parent: field(4),
    group: field(5),
    session: field(6),
    startTime,
    ended: state === "Z" || state === "X",
    stopped: state === "T" || state === "t",
    ownMillis: (field(14) + field(15)) * millisPerTick,
    waitedMillis: (field(16) + field(17)) * millisPerTick
  }
}

let agreed: boolean | undefined

/**
 * Whether the numbers in /proc are those of this process's namespace. After `unshare --pid` without its own /proc they
 * are not: each would name another process.
 */
const numbersAgree = (): boolean => {
  agreed ??= (() => {
    try {
      return readlinkSync("/proc/self") === String(process.pid)
    } catch {
      return false
    }
  })()
  return agreed
}

/**
 * One buffer for all reads: without a known size `readFileSync` takes 64 kB for each, which was most of the garbage of an idle
 * worker.
 */
const line = Buffer.alloc(4096)

const readLine = (path: string): string => {
  const file = openSync(path, "r")
  try {
    return line.toString("latin1", 0, readSync(file, line, 0, line.length, 0))
  } finally {
    closeSync(file)
  }
}

/** The same for a file of any length. */
const readWhole = (path: string): string => {
  const file = openSync(path, "r")
  try {
    let text = ""
    for (;;) {
      const count = readSync(file, line, 0, line.length, null)
      if (count === 0) return text
      text += line.toString("latin1", 0, count)
    }
  } finally {
    closeSync(file)
  }
}

const readEntry = (pid: number): ProcessEntry | "unknown" | null => {
  try {
    return parseStat(readLine(`/proc/${pid}/stat`)) ?? "unknown"
  } catch (error) {
    const code = codeOf(error)
    return code === "ENOENT" || code === "ESRCH" ? null : "unknown"
  }
}

const readAll = (): ReadonlyArray<ProcessEntry> => {
  const entries: Array<ProcessEntry> = []
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0)
    if (first < 48 || first > 57) continue
    const entry = readEntry(Number(name))
    if (entry !== null && entry !== "unknown") entries.push(entry)
  }
  return entries
}

/** Reads the marks out of an environment block: `NAME=value` strings, each ended by a zero byte. */
export const parseMarks = (environment: string): Marks => {
  const value = (name: string): string | null => {
    const block = `\0${environment}`
    const at = block.indexOf(`\0${name}=`)
    if (at < 0) return null
    const from = at + name.length + 2
    const to = block.indexOf("\0", from)
    return block.slice(from, to < 0 ? undefined : to)
  }
  const taskId = value("BACKBEAT_TASK_ID")
  return { taskId: taskId === "" ? null : taskId, worker: value("BACKBEAT_WORKER") === "1" }
}

const readMarks = (pid: number): Marks => {
  try {
    return parseMarks(readWhole(`/proc/${pid}/environ`))
  } catch {
    // Another user's process, or one that has just ended.
    return { taskId: null, worker: false }
  }
}

const readBootId = (): string => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()
  } catch {
    // Some sandboxes hide it; the time of the boot identifies a boot too.
    const booted = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))
    return `btime-${booted?.[1] ?? "unknown"}`
  }
}

/** Containers may lack the machine id, or share it: boot and namespace tell those apart. */
const readHost = (): string => {
  try {
    return hostOf(readFileSync("/etc/machine-id", "latin1").trim() || hostname())
  } catch {
    return hostOf(hostname())
  }
}

const readPids = (): string => {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")
  } catch {
    return ""
  }
}

export const linuxReader: ProcessReader = {
  entry: (pid) => Effect.sync(() => (numbersAgree() ? readEntry(pid) : "unknown")),
  all: Effect.sync(() => (numbersAgree() ? readAll() : [])),
  marks: (pid) => (numbersAgree() ? readMarks(pid) : { taskId: null, worker: false }),
  order: Number,
  place: Effect.sync(() => ({ host: readHost(), boot: readBootId(), pids: readPids() }))
}
