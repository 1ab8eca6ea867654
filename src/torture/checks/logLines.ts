/** Lines of the logs that name a task, each cut to 300 characters. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { World } from "../World.ts"

export const logLines = (world: World, id: string): ReadonlyArray<string> =>
  [join(world.root, "logs"), join(world.home, "logs")].flatMap((directory) => {
    const files = (() => {
      try {
        return readdirSync(directory)
      } catch {
        return []
      }
    })()
    return files.flatMap((file) =>
      readFileSync(join(directory, file), "utf8")
        .split("\n")
        .filter((line) => line.includes(id))
        .map((line) => `${file}: ${line.slice(0, 300)}`)
    )
  })
