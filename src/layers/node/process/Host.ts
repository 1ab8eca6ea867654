/**
 * What this machine can carry: available memory within its limits, processors, and who is at it.
 *
 * Weighed: `process.availableMemory()` (0.15 ms a call, so speed does not decide). It counts the page cache of a control group as
 * used, so that a container seems full after an agent has read a large repository, and on macOS it returns the free pages. Use
 * it when libuv counts inactive file pages as available and asks macOS for memory pressure. docs/decisions/0009-memory-reader.md
 */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { availableParallelism, freemem, totalmem, userInfo } from "node:os"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Host } from "../../../services/Host.ts"

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return null
  }
}

const whole = (text: string | null): number | null => (text !== null && /^\s*\d+\s*$/.test(text) ? Number(text) : null)

const field = (text: string | null, name: string): number | null => {
  const found = text === null ? null : new RegExp(`^${name}:?\\s+(\\d+)`, "m").exec(text)
  return found === null ? null : Number(found[1])
}

/** A group and everything above it, the nearest first: each of them may carry the limit. */
const upwards = (root: string, group: string): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (let at = group; at !== "/" && at !== "."; at = dirname(at)) directories.push(join(root, at))
  // In a container the path names the host's tree while the mount shows only our own group, at its root.
  return [...directories, root]
}

const room = (limit: number | null, usage: number | null, reclaimable: number | null): number =>
  limit === null || usage === null ? Number.POSITIVE_INFINITY : Math.max(0, limit - usage + (reclaimable ?? 0))

/** Bytes left below the tightest memory limit of our control group (v2 and v1), infinite without one. `fs` is `/`. */
const cgroupRoom = (fs: string): number => {
  const groups = (read(join(fs, "proc/self/cgroup")) ?? "").split("\n").flatMap((line) => {
    const parts = /^\d+:([^:]*):(\/.*)$/.exec(line)
    return parts === null ? [] : [{ controllers: (parts[1] ?? "").split(","), path: parts[2] ?? "/" }]
  })
  let least = Number.POSITIVE_INFINITY
  for (const { controllers, path } of groups) {
    if (controllers.includes("memory")) {
      for (const directory of upwards(join(fs, "sys/fs/cgroup/memory"), path)) {
        const limit = whole(read(join(directory, "memory.limit_in_bytes")))
        const usage = whole(read(join(directory, "memory.usage_in_bytes")))
        // The system frees file pages that were not used lately when memory is short, so they count as free.
        const cache = field(read(join(directory, "memory.stat")), "total_inactive_file")
        least = Math.min(least, room(limit, usage, cache))
      }
    } else if (controllers.length === 1 && controllers[0] === "") {
      for (const directory of upwards(join(fs, "sys/fs/cgroup"), path)) {
        const limit = whole(read(join(directory, "memory.max")))
        const usage = whole(read(join(directory, "memory.current")))
        const cache = field(read(join(directory, "memory.stat")), "inactive_file")
        least = Math.min(least, room(limit, usage, cache))
      }
    }
  }
  return least
}

/** `MemAvailable` within the control group's limit, null where there is no such file. */
export const linuxAvailable = (fs: string): number | null => {
  const kilobytes = field(read(join(fs, "proc/meminfo")), "MemAvailable")
  return kilobytes === null ? null : Math.min(kilobytes * 1024, cgroupRoom(fs))
}

/**
 * macOS keeps almost no page free by design, so the free count would say "full" forever. The kernel's own measure of
 * memory pressure, the percentage that `memory_pressure` prints, says what programs can still have.
 */
const darwinAvailable = Effect.async<number>((resume) => {
  execFile("/usr/sbin/sysctl", ["-n", "kern.memorystatus_level"], { timeout: 2000 }, (error, stdout) => {
    const percent = error === null ? whole(stdout) : null
    resume(Effect.succeed(percent === null || percent > 100 ? freemem() : (totalmem() * percent) / 100))
  })
})

const username = (): string => {
  try {
    return userInfo().username
  } catch {
    // Containers run under user ids that no account has.
    return `uid ${process.getuid?.() ?? "unknown"}`
  }
}

const uptime = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/** CLOCK_BOOTTIME (proc(5), /proc/uptime), which counts sleep. */
const sinceBoot = (): number => {
  const seconds = Number(read("/proc/uptime")?.split(" ")[0])
  return seconds > 0 ? Math.floor(seconds * 1000) : uptime()
}

export const layer = Layer.succeed(Host, {
  availableMemory:
    process.platform === "darwin" ? darwinAvailable : Effect.sync(() => linuxAvailable("/") ?? freemem()),
  uptimeMs: Effect.sync(uptime),
  // libuv asks Linux for CLOCK_MONOTONIC, which stops in sleep, and macOS for mach_continuous_time, which does not.
  sleepCounts: process.platform !== "linux",
  sinceBootMs: Effect.sync(process.platform === "linux" ? sinceBoot : uptime),
  cores: Effect.sync(() => availableParallelism()),
  user: Effect.sync(username)
})
