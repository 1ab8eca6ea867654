/** Finds the record of a Codex session by its id: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`. */
import * as fs from "node:fs/promises"
import { join } from "node:path"

/** Days with sessions that are looked through, the newest first: a session that is resumed stays in the directory of its first day. */
const mostDays = 400

const newestFirst = async (directory: string): Promise<ReadonlyArray<string>> => {
  const names = await fs.readdir(directory).catch((): Array<string> => [])
  return names
    .filter((name) => /^\d{2,4}$/.test(name))
    .toSorted()
    .reverse()
    .map((name) => join(directory, name))
}

/** Null where there is none. An id that could lead elsewhere is none. */
export const findRollout = async (home: string, sessionId: string): Promise<string | null> => {
  if (!/^[0-9a-f-]{8,64}$/i.test(sessionId)) return null
  let days = 0
  for (const year of await newestFirst(join(home, "sessions"))) {
    for (const month of await newestFirst(year)) {
      for (const day of await newestFirst(month)) {
        if (++days > mostDays) return null
        const names = await fs.readdir(day).catch((): Array<string> => [])
        const found = names.find((name) => name.startsWith("rollout-") && name.endsWith(`-${sessionId}.jsonl`))
        if (found !== undefined) return join(day, found)
      }
    }
  }
  return null
}
