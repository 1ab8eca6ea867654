/** Git repositories of tests, and whether one is still what its user left. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const environment = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.com",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.com",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C"
}

export const gitIn = (directory: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-C", directory, ...args], {
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  }).trimEnd()

export const writeIn = (directory: string, files: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
}

/** A repository with two branches, and one commit on `main` that holds these files. */
export const makeRepository = (
  directory: string,
  files: Readonly<Record<string, string>> = { "a.txt": "one\n" },
  format: "sha1" | "sha256" = "sha1"
): void => {
  mkdirSync(directory, { recursive: true })
  gitIn(directory, "init", "--quiet", "--initial-branch=main", `--object-format=${format}`)
  gitIn(directory, "config", "user.name", "Ann")
  gitIn(directory, "config", "user.email", "ann@example.com")
  writeIn(directory, files)
  gitIn(directory, "add", "--all")
  gitIn(directory, "commit", "--quiet", "-m", "start")
  gitIn(directory, "branch", "other")
}

/** The same with a dirty, a staged and an untracked file, and a stash. */
export const makeBusyRepository = (directory: string): void => {
  makeRepository(directory, { "a.txt": "one\n", "b.txt": "two\n", "sub/c.txt": "three\n" })
  writeIn(directory, { "a.txt": "stashed\n" })
  gitIn(directory, "stash", "push", "--quiet")
  writeIn(directory, { "a.txt": "dirty\n", "b.txt": "staged\n", "untracked.txt": "mine\n" })
  gitIn(directory, "add", "b.txt")
}

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex")

/** Everything of a repository that belongs to its user. */
export const userState = (directory: string) => ({
  status: gitIn(directory, "status", "--porcelain=v2"),
  stash: gitIn(directory, "stash", "list"),
  refs: gitIn(directory, "for-each-ref", "refs/heads", "refs/tags", "refs/remotes", "refs/stash"),
  head: gitIn(directory, "rev-parse", "--symbolic-full-name", "HEAD"),
  index: digest(join(directory, ".git", "index")),
  config: digest(join(directory, ".git", "config"))
})

/** Names of files below `.git` that a killed git leaves. */
export const locksIn = (directory: string): ReadonlyArray<string> =>
  execFileSync("find", [join(directory, ".git"), "-name", "*.lock"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
