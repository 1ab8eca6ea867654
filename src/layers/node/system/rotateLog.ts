/** Puts a log aside that has grown: `FILE.1` is the newest of at most five. */
import { renameSync, statSync } from "node:fs"

/** A log that has grown past this is put aside. */
export const maxLogBytes = 5 * 1024 * 1024

/** How many old logs are kept. */
export const keptLogs = 5

/** A file that another process has just put aside is no longer there, and that is fine. */
const move = (from: string, to: string): void => {
  try {
    renameSync(from, to)
  } catch {}
}

/** Makes room for a new `FILE.1`. */
export const shiftLogs = (file: string): void => {
  for (let at = keptLogs - 1; at >= 1; at--) move(`${file}.${at}`, `${file}.${at + 1}`)
}

/** Puts the log aside if it is too large. */
export const rotateLog = (file: string): void => {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= maxLogBytes) return
  shiftLogs(file)
  move(file, `${file}.1`)
}
