/** Shows a text on the terminal of this process, in the pager that the user has chosen for diffs. */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { GitFailed, gitText } from "./GitProgram.ts"
import { pagerEnvironment } from "./gitEnvironment.ts"
import { workspaceOf } from "./WorkspacePlaces.ts"

/** The command that shows diffs: `pager.diff`, which may also be a yes or no, or what git takes for every output. */
const pagerOf = Effect.fn("MergeGit.pager")(function* (repository: string) {
  // The configuration of a workspace is its agent's.
  const directory = workspaceOf(repository) === null ? repository : null
  const own = yield* gitText({ directory, args: ["config", "pager.diff"], accepts: [0, 1] })
  if (/^(false|no|off|0+)$/i.test(own)) return "cat"
  if (own !== "" && !/^(true|yes|on|[1-9]\d*)$/i.test(own)) return own
  const { GIT_PAGER } = process.env
  return yield* gitText({
    directory,
    args: ["var", "GIT_PAGER"],
    variables: GIT_PAGER === undefined ? {} : { GIT_PAGER }
  })
})

export const page = Effect.fn("MergeGit.page")((repository: string, text: string) =>
  Effect.flatMap(pagerOf(repository), (pager) =>
    Effect.async<void, GitFailed>((resume) => {
      const child = spawn(pager, {
        shell: true,
        stdio: ["pipe", "inherit", "inherit"],
        // As git starts it: https://git-scm.com/docs/git-config#Documentation/git-config.txt-corepager
        env: { LESS: "FRX", LV: "-c", ...pagerEnvironment(process.env) }
      })
      child.once("error", ({ message }) =>
        resume(new GitFailed({ reason: "exit", code: null, detail: `the pager ${pager}: ${message}` }))
      )
      child.once("exit", () => resume(Effect.void))
      // It may be left before the end.
      child.stdin.on("error", () => {})
      child.stdin.end(text)
    })
  )
)
