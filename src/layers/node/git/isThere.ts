/** Whether anything is at a path: also a link that leads nowhere. */
import * as fs from "node:fs/promises"

export const isThere = (path: string): Promise<boolean> =>
  fs.lstat(path).then(
    () => true,
    () => false
  )
