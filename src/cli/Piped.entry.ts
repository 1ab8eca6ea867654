/** Distinguishes input piped into this command from a stdin that the calling process reads too. */
import { existsSync, fstatSync, readdirSync, readFileSync, statSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { Piped } from "./framework/Terminal.ts"

/** How to read stdin when no `-` argument asks for it. */
type Stdin =
  /** Do not read it: it is empty, or the caller reads it as well (a `while read` loop, a script on stdin). */
  | "none"
  /** Read all of it: a file, or a pipe whose last command is this one. */
  | "ours"
  /** A program holds the other end and may never write: wait one second for its first byte. */
  | "perhaps"
  /** A pipe or a file, but this system does not report who else reads it. */
  | "unknown"

/** How long to wait for the first byte of a program, in milliseconds. */
const patienceMs = 1000

const writeOnly = 1
const accessMode = 3

/** Whether a process opened this descriptor for writing only. */
const writes = (directory: string, fd: string): boolean => {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`${directory}/fdinfo/${fd}`, "utf8"))?.[1]
  return flags !== undefined && (Number.parseInt(flags, 8) & accessMode) === writeOnly
}

/** The session id of a process, from Linux's `/proc`: the field after state, parent and group. */
const sessionOf = (directory: string): string | undefined => {
  const stat = readFileSync(`${directory}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]
}

const orElse = <A>(read: () => A, otherwise: A): A => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** Never fails: the answer is "unknown" if the system does not report it. */
const stdinKind = (): Stdin => {
  const own = orElse(() => fstatSync(0), null)
  if (own === null || !(own.isFIFO() || own.isFile() || own.isSocket())) return "none"
  if (own.isFile() && own.size === 0) return "none"
  const caller = `/proc/${process.ppid}`
  if (!existsSync("/proc/self/fd/0")) return own.isSocket() ? "none" : "unknown"
  const same = (fd: string): boolean =>
    orElse(() => {
      const theirs = statSync(`${caller}/fd/${fd}`)
      return theirs.dev === own.dev && theirs.ino === own.ino
    }, false)
  return orElse((): Stdin => {
    // If the caller is gone, this process has a new parent, and that parent says nothing about stdin.
    if (sessionOf(caller) !== sessionOf("/proc/self")) return own.isFile() ? "unknown" : "perhaps"
    const held = readdirSync(`${caller}/fd`)
    if (same("0")) return "none"
    if (own.isSocket()) return "perhaps"
    return own.isFIFO() && held.some((fd) => same(fd) && writes(caller, fd)) ? "perhaps" : "ours"
  }, "unknown")
}

/** True once there is something to read or the end is reached; false after the timeout. */
const hasBegun = (stream: NodeJS.ReadStream): Promise<boolean> =>
  new Promise((resolve) => {
    const done = (begun: boolean) => () => {
      clearTimeout(timer)
      for (const event of ["readable", "end", "error", "close"]) stream.removeListener(event, begins)
      resolve(begun)
    }
    const begins = done(true)
    const timer = setTimeout(done(false), patienceMs)
    for (const event of ["readable", "end", "error", "close"]) stream.once(event, begins)
  })

/** `read` reads stdin to its end. */
export const piped = (read: Effect.Effect<Uint8Array>): Effect.Effect<Piped> =>
  Effect.suspend(() => {
    const kind = stdinKind()
    if (kind === "none") return Effect.succeed<Piped>({ _tag: "Nothing" })
    if (kind === "unknown") return Effect.succeed<Piped>({ _tag: "Unread" })
    const bytes = Effect.map(read, (all): Piped => ({ _tag: "Bytes", bytes: all }))
    if (kind === "ours") return bytes
    return Effect.flatMap(
      Effect.promise(() => hasBegun(process.stdin)),
      (begun) => {
        if (begun) return bytes
        // An open stdin would keep this process from exiting.
        process.stdin.destroy()
        return Effect.succeed<Piped>({ _tag: "Nothing" })
      }
    )
  })
