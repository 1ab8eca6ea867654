/** Processes as `ps` shows them: for macOS, and for tests of that path anywhere else. */
import { execFile } from "node:child_process"
import { hostname } from "node:os"
import * as Effect from "effect/Effect"
import { hostOf } from "./HostId.ts"
import type { ProcessEntry, ProcessReader } from "./ProcessEntry.ts"

/** Start times are dates in words: one language and one time zone, or the same process would look like another. */
const plain = { LC_ALL: "C", TZ: "UTC0" }

/** The answer of a system program, or null when it could not be had. `code` is what it exited with. */
const run = (program: string, args: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: number; readonly stdout: string } | null>((resume) => {
    const path = `/usr/bin:/bin:/usr/sbin:/sbin:${process.env.PATH ?? ""}`
    const options = { env: { ...plain, PATH: path }, maxBuffer: 64 * 1024 * 1024, timeout: 10_000 }
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resume(Effect.succeed({ code: 0, stdout }))
      else resume(Effect.succeed(typeof error.code === "number" ? { code: error.code, stdout } : null))
    })
  })

const columns = ["pid=", "ppid=", "pgid=", "stat=", "time=", "lstart="].flatMap((column) => ["-o", column])

/** CPU time as `ps` writes it: `[[days-]hours:]minutes:seconds[.hundredths]`. */
export const parseCpuTime = (text: string): number => {
  const [clock = "", days = "0"] = text.split("-").reverse()
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)
  return Math.round((Number(days) * 86_400 + seconds) * 1000)
}

/** One line of `ps`; the date at its end holds single blanks, as the shim writes it. */
export const parseLine = (line: string): ProcessEntry | null => {
  const [pid, parent, group, state, time, ...date] = line.trim().split(/\s+/)
  if (state === undefined || time === undefined || date.length === 0) return null
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    session: null,
    startTime: date.join(" "),
    ended: state.startsWith("Z"),
    stopped: state.startsWith("T"),
    ownMillis: parseCpuTime(time),
    // `ps` reports it for no process.
    waitedMillis: 0
  }
}

const parse = (text: string): ReadonlyArray<ProcessEntry> =>
  text.split("\n").flatMap((line) => {
    const entry = parseLine(line)
    return entry === null ? [] : [entry]
  })

export const portableReader: ProcessReader = {
  entry: (pid) =>
    Effect.map(run("ps", [...columns, "-p", String(pid)]), (answer) => {
      if (answer === null) return "unknown"
      const [entry] = parse(answer.stdout)
      // `ps` exits with 1 and prints nothing when there is no such process.
      return entry ?? (answer.code === 1 ? null : "unknown")
    }),
  all: Effect.map(run("ps", ["-ax", ...columns]), (answer) => (answer === null ? [] : parse(answer.stdout))),
  marks: () => ({ taskId: null, worker: false }),
  order: (startTime) => Date.parse(`${startTime} UTC`),
  place: Effect.gen(function* () {
    // macOS names each boot. The time of the boot, which other systems report, moves when the clock is set.
    const session = (yield* run("sysctl", ["-n", "kern.bootsessionuuid"]))?.stdout.trim() ?? ""
    const booted = /sec = (\d+)/.exec((yield* run("sysctl", ["-n", "kern.boottime"]))?.stdout ?? "")
    const boot = session === "" ? `boot-${booted?.[1] ?? "unknown"}` : session
    // The name of a Mac changes with its network; its hardware does not.
    const hardware = /"IOPlatformUUID" = "([^"]+)"/.exec(
      (yield* run("ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]))?.stdout ?? ""
    )
    return { host: hostOf(hardware?.[1] ?? hostname()), boot, pids: "" }
  })
}
