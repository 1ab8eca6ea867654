/** Pushes a commit as a branch and asks for a pull request, by `git` and GitHub's `gh`. */
import * as Effect from "effect/Effect"
import type { PullRequest } from "../../../services/MergeGit.ts"
import { type GitFailed, git, gitText } from "./GitProgram.ts"

/** A large push over a slow line. */
const pushMs = 10 * 60_000

/** `gh` asks nothing, and prints no colour. */
const quiet = { GH_PROMPT_DISABLED: "1", NO_COLOR: "1", GH_NO_UPDATE_NOTIFIER: "1" }

const gh = (directory: string, args: ReadonlyArray<string>) =>
  gitText({ program: "gh", directory, args, variables: quiet })

/** Whether `gh` can be started. */
export const hasGh = gitText({ program: "gh", directory: null, args: ["--version"], variables: quiet }).pipe(
  Effect.as(true),
  Effect.orElseSucceed(() => false)
)

/** The remote that a branch follows, otherwise `origin`, otherwise the only one; null if there is no clear choice. */
export const remoteOf = Effect.fn("MergeGit.remoteOf")(function* (home: string, branch: string) {
  const followed = yield* gitText({
    directory: home,
    args: ["config", "--get", `branch.${branch}.remote`],
    accepts: [0, 1]
  })
  const all = (yield* gitText({ directory: home, args: ["remote"] })).split("\n").filter((name) => name !== "")
  if (all.includes(followed)) return followed
  return all.includes("origin") ? "origin" : all.length === 1 ? (all[0] ?? null) : null
})

/** Sets the branch of the remote to this commit. A branch that holds anything else is refused. */
export const push = (home: string, remote: string, branch: string, commit: string): Effect.Effect<void, GitFailed> =>
  Effect.asVoid(
    git({
      directory: home,
      args: ["push", "--quiet", remote, `${commit}:refs/heads/${branch}`],
      patienceMs: pushMs
    })
  )

const address = /https?:\/\/\S+/

/** The address of the pull request for the branch, which is created if there is none. */
export const openPullRequest = Effect.fn("MergeGit.openPullRequest")(function* ({
  base,
  body,
  branch,
  home,
  title
}: PullRequest) {
  const known = yield* Effect.option(
    gh(home, ["pr", "view", branch, "--json", "url,state", "--jq", 'select(.state == "OPEN") | .url'])
  )
  const found = known._tag === "Some" ? address.exec(known.value)?.[0] : undefined
  if (found !== undefined) return found
  const made = yield* gh(home, ["pr", "create", "--head", branch, "--base", base, "--title", title, "--body", body])
  return address.exec(made)?.[0] ?? made.trim()
})
