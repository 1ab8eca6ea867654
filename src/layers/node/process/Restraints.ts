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

/** Hard limits by name, from a text as `/proc/PID/limits` holds it: three columns at fixed places (proc(5)). */
export const parseLimits = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const found = /^(Max .+?) {2,}\S+ +(unlimited|\d+)/.exec(line)
        if (found?.[1] === undefined) return []
        return [[found[1], found[2] === "unlimited" ? Number.POSITIVE_INFINITY : Number(found[2])] as const]
      })
  )

const limitsOf = (pid: number | "self"): ReadonlyMap<string, number> => {
  try {
    return parseLimits(readFileSync(`/proc/${pid}/limits`, "utf8"))
  } catch {
    return new Map()
  }
}

/** Limits that a person sets with `ulimit` and that end or hinder an agent. */
const watched: Readonly<Record<string, (most: number) => string>> = {
  "Max cpu time": (most) => `at most ${most} s of CPU time`,
  "Max file size": (most) => `files of at most ${most} bytes`,
  "Max processes": (most) => `at most ${most} processes`,
  "Max open files": (most) => `at most ${most} open files`,
  "Max address space": (most) => `at most ${most} bytes of memory`
}

/** Each restriction in a few words, for a sentence that begins with the process. Empty if there is none, or if the system does not say. */
export const restraintsOf = (pid: number): ReadonlyArray<string> => {
  const niceness = nicenessOf(pid)
  const own = limitsOf("self")
  const theirs = limitsOf(pid)
  const lower = Object.entries(watched).flatMap(([name, told]) => {
    const most = theirs.get(name)
    return most === undefined || most >= (own.get(name) ?? 0) ? [] : [told(most)]
  })
  return [
    ...(niceness !== null && niceness > Math.max(0, nicenessOf(0) ?? 0) ? [`niceness ${niceness}`] : []),
    ...lower
  ]
}
