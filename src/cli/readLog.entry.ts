/** Reads a log that is put aside when it has grown: its last lines, and from there on what is added. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import { keptLogs } from "../layers/node/system/rotateLog.ts"

export interface LogReader {
  readonly exists: () => boolean
  /** The last lines, also of files that are put aside. */
  readonly last: (lines: number) => ReadonlyArray<string>
  /** The whole lines that were added since the last call. */
  readonly next: () => ReadonlyArray<string>
}

const newline = 10

/** The whole lines of a file from an offset on: a writer may be in the middle of one, and of a character. */
const readFrom = (path: string, offset: number) => {
  if (!existsSync(path)) return { lines: [], end: 0 }
  const open = openSync(path, "r")
  try {
    const { size } = fstatSync(open)
    const bytes = Buffer.alloc(Math.max(0, size - offset))
    const read = bytes.subarray(0, readSync(open, bytes, 0, bytes.length, offset))
    const whole = read.subarray(0, read.lastIndexOf(newline) + 1)
    const lines = whole.length === 0 ? [] : whole.toString("utf8", 0, whole.length - 1).split("\n")
    return { lines, end: offset + whole.length }
  } finally {
    closeSync(open)
  }
}

export const makeLogReader = (path: string): LogReader => {
  /** A log that is put aside, renamed or as a copy, is another file of this name. */
  const newestAside = () => statSync(`${path}.1`, { throwIfNoEntry: false })?.ino ?? null
  let aside = newestAside()
  /** How far it was read. */
  let offset = 0

  const read = (from: number): ReadonlyArray<string> => {
    const found = readFrom(path, from)
    offset = found.end
    return found.lines
  }

  return {
    exists: () => existsSync(path),
    last: (lines) => {
      let all = read(0)
      for (let at = 1; at <= keptLogs && all.length < lines; at += 1) {
        all = [...readFrom(`${path}.${at}`, 0).lines, ...all]
      }
      return lines === 0 ? [] : all.slice(-lines)
    },
    next: () => {
      const newest = newestAside()
      if (newest === aside) {
        const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
        // Emptied by hand: it begins again.
        return size === offset ? [] : read(size < offset ? 0 : offset)
      }
      aside = newest
      const before = readFrom(`${path}.1`, offset).lines
      return [...before, ...read(0)]
    }
  }
}
