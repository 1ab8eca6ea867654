/** The repository of a torture run that merges change, asked with plain git and plain files. */
import { createHash } from "node:crypto"
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { groupFiles, groups } from "./MergePlan.ts"
import { git } from "./Repository.ts"

/** Files by path, each as the name of its contents. */
export type Files = ReadonlyMap<string, string>

/** All that a merge may change, and all that it may not. */
export interface ShopState {
  readonly head: string
  /** What HEAD names, every name outside of `refs/backbeat`, and the settings. */
  readonly names: string
  readonly index: Files
  readonly files: Files
}

/** The file with an uncommitted change that no task touches. */
const mineFile = "mine"

/** A new one with a changed, a staged and an untracked file, a stash and a second branch; null where there is no git. */
export const makeShop = (directory: string): string | null => {
  mkdirSync(directory, { mode: 0o700 })
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  for (let group = 0; group < groups; group++) {
    mkdirSync(join(directory, `d${group}`))
    for (let file = 0; file < groupFiles; file++) write(`d${group}/f${file}`, `${file}\n`.repeat(20))
  }
  for (const name of [mineFile, "staged"]) write(name, "1\n")
  const commit = (...args: ReadonlyArray<string>) => git(directory, ...args) !== null
  if (!commit("init", "-q", "-b", "main") || !commit("add", "-A") || !commit("commit", "-q", "-m", "first")) return null
  for (const [key, value] of [
    ["user.name", "t"],
    ["user.email", "t@localhost"]
  ] as const)
    git(directory, "config", key, value)
  git(directory, "branch", "other")
  write(mineFile, "stashed\n")
  git(directory, "stash")
  write(mineFile, "2\n")
  write("staged", "2\n")
  git(directory, "add", "staged")
  write("untracked", "3\n")
  return directory
}

const blobName = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")

const filesBelow = (directory: string, prefix = ""): ReadonlyArray<readonly [string, string]> =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry): ReadonlyArray<readonly [string, string]> => {
    const path = join(directory, entry.name)
    const name = `${prefix}${entry.name}`
    if (entry.isDirectory()) return name === ".git" ? [] : filesBelow(path, `${name}/`)
    return [[name, blobName(entry.isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path))]]
  })

/** The files below a directory, without those of git. */
export const filesOf = (directory: string): Files => new Map(filesBelow(directory))

const entries = (listed: string | null): Files =>
  new Map(
    (listed ?? "")
      .split("\0")
      .filter(Boolean)
      .map((line) => {
        const [facts = "", name = ""] = line.split("\t")
        return [name, facts.split(" ").find((word) => /^[0-9a-f]{40}$/.test(word)) ?? ""] as const
      })
  )

/** The files of a commit or tree; null where the repository has none of that name. */
export const treeFiles = (directory: string, name: string): Files | null => {
  const listed = git(directory, "ls-tree", "-r", "-z", "--full-tree", name)
  return listed === null ? null : entries(listed)
}

export const commitOf = (directory: string, name: string): string | null =>
  git(directory, "rev-parse", "--verify", "--quiet", `${name}^{commit}`)?.trim() ?? null

export const shopState = (directory: string): ShopState => ({
  head: commitOf(directory, "HEAD") ?? "",
  names: [
    git(directory, "symbolic-ref", "HEAD"),
    git(directory, "for-each-ref", "refs/tags", "refs/remotes", "refs/stash", "refs/heads/other"),
    git(directory, "for-each-ref", "--format=%(refname)", "refs/heads"),
    git(directory, "stash", "list"),
    git(directory, "config", "--list", "--local")
  ].join("\n"),
  index: entries(git(directory, "ls-files", "-s", "-z")),
  files: filesOf(directory)
})

/** The files of the merge of two commits as git itself makes it; null where they do not fit together. */
export const mergedFiles = (directory: string, ours: string, theirs: string): Files | null => {
  const tree = git(directory, "merge-tree", "--write-tree", "--no-messages", ours, theirs)
  return tree === null ? null : treeFiles(directory, tree.trim())
}

/** What a git that was killed, or a merge that was not ended, leaves in the directory of a repository. */
export const leftoversIn = (directory: string): ReadonlyArray<string> => {
  const own = join(directory, ".git")
  const names = readdirSync(own, { recursive: true, encoding: "utf8" })
  return names.filter((name) => /\.lock$|^(MERGE_HEAD|ORIG_HEAD\.lock|worktrees\/)/.test(name))
}

export const isThere = (path: string): boolean => {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
