/** What /proc says about processes that may end at any moment. */
import { readlinkSync } from "node:fs"

/** The file that a process prints to; null if the process has ended. */
export const outputFile = (pid: number): string | null => {
  try {
    return readlinkSync(`/proc/${pid}/fd/1`)
  } catch {
    return null
  }
}
