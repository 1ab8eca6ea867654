/** stdout and stderr of this process, where possible without a stream of Node, whose modules take a twentieth of a look. */
import { fstatSync, type Stats, statSync, writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import { codeOf } from "../layers/node/files/SystemCode.ts"

type WriteFailure = Error & { readonly code?: string }

interface StandardStream {
  /** Whether it is a terminal. */
  readonly tty: () => boolean
  /** Columns of the terminal; 0 if there is none, or it does not say. */
  readonly columns: () => number
  /** Returns once the system has accepted the bytes, so that an exit right after loses none, or returns the error. */
  readonly send: (data: string | Uint8Array) => Effect.Effect<WriteFailure | null>
}

/** What a new pipe takes before anyone reads, in bytes (pipe(7)). A write that waits for a reader would hold up Ctrl-C as well. */
const roomOfPipe = 65_536

const statOrNull = (read: () => Stats): Stats | null => {
  try {
    return read()
  } catch {
    return null
  }
}

const isNull = ({ rdev }: Stats): boolean => statOrNull(() => statSync("/dev/null"))?.rdev === rdev

/** Whether it could be a terminal: only a stream of Node can tell. */
const mayBeTerminal = (stat: Stats | null): boolean => stat === null || (stat.isCharacterDevice() && !isNull(stat))

export const stdinIsTerminal = (): boolean =>
  mayBeTerminal(statOrNull(() => fstatSync(0))) && process.stdin.isTTY === true

/** How many bytes can be written before anyone reads. */
const roomOf = (stat: Stats | null): number => {
  if (stat === null || mayBeTerminal(stat)) return 0
  return stat.isFile() || stat.isCharacterDevice() ? Number.POSITIVE_INFINITY : roomOfPipe
}

/** Writes that streams of Node have taken and the system has not. An interrupted command leaves them behind. */
let pending = 0
let afterLast: (() => void) | null = null

/** Calls now, or once the system has all that was written. */
export const afterWrites = (then: () => void): void => {
  if (pending === 0) then()
  else afterLast = then
}

export const standardStream = (name: "stdout" | "stderr"): StandardStream => {
  const fd = name === "stdout" ? 1 : 2
  const stat = statOrNull(() => fstatSync(fd))
  let room = roomOf(stat)
  const viaStream = (data: Uint8Array) =>
    Effect.async<WriteFailure | null>((resume) => {
      pending += 1
      process[name].write(data, (error) => {
        pending -= 1
        resume(Effect.succeed(error ?? null))
        if (pending === 0) afterLast?.()
      })
    })
  /** What is left where the system takes no more without a wait, or the error. */
  const writeNow = (bytes: Uint8Array): Uint8Array | WriteFailure => {
    let rest = bytes
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") return error instanceof Error ? error : new Error(String(error))
      // Another process made the pipe non-blocking.
      room = 0
    }
    return rest
  }
  return {
    tty: () => mayBeTerminal(stat) && process[name].isTTY === true,
    columns: () => process[name].columns ?? 0,
    send: (data) =>
      Effect.suspend(() => {
        const bytes = typeof data === "string" ? Buffer.from(data) : data
        if (bytes.length > room) {
          // The stream may hold bytes from now on, which nothing must overtake.
          room = 0
          return viaStream(bytes)
        }
        room -= bytes.length
        const left = writeNow(bytes)
        if (left instanceof Error) return Effect.succeed(left)
        return left.length === 0 ? Effect.succeed(null) : viaStream(left)
      })
  }
}
