/** A log that only this process's kind writes, for a process whose stdout and stderr are not for it. */
import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs"
import { dirname } from "node:path"

/** A larger file is renamed to `FILE.1`, in place of the one before. */
const maxBytes = 5 * 1024 * 1024

/** Appends lines to `file`. A line that cannot be written goes to stderr. */
export const makeLogFile =
  (file: string) =>
  (line: string): void => {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`)
      appendFileSync(file, `${line} pid=${process.pid}\n`, { mode: 0o600 })
    } catch {
      process.stderr.write(`${line}\n`)
    }
  }
