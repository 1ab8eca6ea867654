/** Where a process is more restricted than this one: by a higher niceness, or by lower limits of the system. */
import { existsSync, readFileSync } from "node:fs"
import * as os from "node:os"

/** The niceness of a process, -20 to 19; null where the system does not say. */
export const nicenessOf = (pid: number): number | null => {
  try {
    return os.getPriority(pid)
  } catch {
    return null
  }
}

/** Where the program `nice` may be. */
const nicePaths = ["/usr/bin/nice", "/bin/nice"]

/** A command that runs with this niceness from its first instruction; the command itself if it needs no higher one than this process has. */
export const withNiceness = (
  niceness: number | undefined,
  command: readonly [string, ...ReadonlyArray<string>]
): readonly [string, ...ReadonlyArray<string>] => {
  const more = (niceness ?? 0) - (nicenessOf(0) ?? 0)
  if (more <= 0) return command
  const nice = nicePaths.find((path) => existsSync(path))
  return nice === undefined ? command : [nice, "-n", String(more), ...command]
}

/** Sets the niceness of a process. Lowering it needs rights (`RLIMIT_NICE`, CAP_SYS_NICE); without them it stays as it is. */
export const setNiceness = (pid: number, niceness: number): void => {
  try {
    os.setPriority(pid, niceness)
  } catch {
    // It has ended, or may not be changed.
  }
}

/** What holds now, and the most to which a process may raise it. */
interface Limit {
  readonly soft: number
  readonly hard: number
}

const numberOf = (text: string): number => (text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text))

/** Limits by name, from a text as `/proc/PID/limits` holds it: three columns at fixed places (proc(5)). */
export const parseLimits = (text: string): ReadonlyMap<string, Limit> =>
  new Map(
    text
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, name, soft, hard] = /^(Max .+?) {2,}(unlimited|\d+) +(unlimited|\d+)/.exec(line) ?? []
        if (name === undefined || soft === undefined || hard === undefined) return []
        return [[name, { soft: numberOf(soft), hard: numberOf(hard) }] as const]
      })
  )

const limitsOf = (pid: number | "self"): ReadonlyMap<string, Limit> => {
  try {
    return parseLimits(readFileSync(`/proc/${pid}/limits`, "utf8"))
  } catch {
    return new Map()
  }
}

const openFiles = "Max open files"

/** Limits that a person sets with `ulimit` and that end or hinder an agent. */
const watched: Readonly<Record<string, (most: number) => string>> = {
  "Max cpu time": (most) => `at most ${most} s of CPU time`,
  "Max file size": (most) => `files of at most ${most} bytes`,
  "Max processes": (most) => `at most ${most} processes`,
  [openFiles]: (most) => `at most ${most} open files`,
  "Max address space": (most) => `at most ${most} bytes of memory`
}

/** What holds for a program in Node, which raises the number of its open files itself. */
const inForce = (name: string, limit: Limit): number => (name === openFiles ? limit.hard : limit.soft)

/**
 * The letter of `ulimit`, the same in dash, bash and busybox, and how many bytes or seconds one of its units is: 512 for files is
 * POSIX, and bash as `sh` keeps to it. The stack is left out: by default it is lower than it may be.
 */
const raisable: Readonly<Record<string, readonly [letter: string, unit: number]>> = {
  "Max cpu time": ["t", 1],
  "Max file size": ["f", 512],
  "Max data size": ["d", 1024],
  "Max address space": ["v", 1024]
}

/** A command that runs with the highest limits that this process may give it; the command itself where it has them already. */
export const withoutSoftLimits = (
  command: readonly [string, ...ReadonlyArray<string>],
  limits = limitsOf("self")
): readonly [string, ...ReadonlyArray<string>] => {
  const raises = Object.entries(raisable).flatMap(([name, [letter, unit]]) => {
    const limit = limits.get(name)
    if (limit === undefined || limit.soft >= limit.hard) return []
    return [
      `ulimit -S -${letter} ${limit.hard === Number.POSITIVE_INFINITY ? "unlimited" : Math.floor(limit.hard / unit)}`
    ]
  })
  return raises.length === 0 ? command : ["/bin/sh", "-c", `${raises.join("; ")}; exec "$@"`, "sh", ...command]
}

/** Each restriction in a few words, for a sentence that begins with the process. Empty if there is none, or if the system does not say. */
export const restraintsOf = (pid: number): ReadonlyArray<string> => {
  const niceness = nicenessOf(pid)
  const own = limitsOf("self")
  const theirs = limitsOf(pid)
  const lower = Object.entries(watched).flatMap(([name, told]) => {
    const [limit, ours] = [theirs.get(name), own.get(name)]
    if (limit === undefined || ours === undefined) return []
    const most = inForce(name, limit)
    return most >= inForce(name, ours) ? [] : [told(most)]
  })
  return [
    ...(niceness !== null && niceness > Math.max(0, nicenessOf(0) ?? 0) ? [`niceness ${niceness}`] : []),
    ...lower
  ]
}
