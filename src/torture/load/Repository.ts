/** The repository of the user in a torture run, asked with plain git: nothing but a merge may change it. */
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** What git prints; null where it fails. Nothing of the user's own configuration counts. */
export const git = (directory: string, ...args: ReadonlyArray<string>): string | null => {
  const { status, stdout } = spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: directory, GIT_CONFIG_NOSYSTEM: "1", LANG: "C.UTF-8" }
  })
  return status === 0 ? stdout : null
}

/** The file to which each round of a loop adds a line. */
export const countedFile = "n"

/** A new one with a commit, a change that is staged and one that is not; null where there is no git. */
export const makeRepository = (directory: string): string | null => {
  mkdirSync(directory, { mode: 0o700 })
  writeFileSync(join(directory, countedFile), "")
  writeFileSync(join(directory, "other"), "1\n")
  const made = [
    ["init", "-q", "-b", "main"],
    ["add", "-A"],
    ["commit", "-q", "-m", "first"]
  ].every((args) => git(directory, ...args) !== null)
  if (!made) return null
  writeFileSync(join(directory, "other"), "2\n")
  writeFileSync(join(directory, "untracked"), "3\n")
  return directory
}

/** All that Backbeat may not change: HEAD, branches, tags, stash, index and work tree. */
export const stateOf = (directory: string): string =>
  [
    git(directory, "status", "--porcelain=v2", "--branch"),
    git(directory, "for-each-ref", "refs/heads", "refs/tags", "refs/remotes", "refs/stash"),
    git(directory, "config", "--list", "--local")
  ].join("\n")
