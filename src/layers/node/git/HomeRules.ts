/** What the home tells git about files, for a git directory at another place: settings, exclusions, attributes and sparse patterns. */
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import { codeOf } from "../files/SystemCode.ts"
import { attemptGit, gitText } from "./GitProgram.ts"
import { configFor } from "./HomeConfig.ts"

/** The git directory that all work trees of a repository share. */
export const commonOf = (home: string) =>
  gitText({ directory: home, args: ["rev-parse", "--path-format=absolute", "--git-common-dir"] })

export const copyIfThere = (from: string, to: string): Promise<void> =>
  fs.mkdir(dirname(to), { recursive: true }).then(() =>
    fs.copyFile(from, to).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error
    })
  )

/** `to` is a new git directory, whose configuration is appended to. */
export const writeRules = Effect.fn("git.rules")(function* (home: string, common: string, to: string) {
  const config = yield* configFor(home, common)
  yield* attemptGit(() => fs.appendFile(join(to, "config"), config))
  const sparse = yield* gitText({
    directory: home,
    args: ["rev-parse", "--path-format=absolute", "--git-path", "info/sparse-checkout"]
  })
  yield* attemptGit(async () => {
    await copyIfThere(join(common, "shallow"), join(to, "shallow"))
    await copyIfThere(join(common, "info", "exclude"), join(to, "info", "exclude"))
    await copyIfThere(join(common, "info", "attributes"), join(to, "info", "attributes"))
    await copyIfThere(sparse, join(to, "info", "sparse-checkout"))
  })
})
