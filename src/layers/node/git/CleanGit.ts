/**
 * Looks at the files of a workspace by a git that the agent has told nothing. Its settings, filters, attributes, exclusions and sparse
 * patterns are those that the home had when the workspace was cut, and it has a separate index; only the objects are the workspace's.
 */
import { randomUUID } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { Workspace } from "../../../domain/workspace/Workspace.ts"
import { codeOf } from "../files/SystemCode.ts"
import { copyIndex } from "./copyIndex.ts"
import { attemptGit, type GitCall, type GitFailed, git, gitList, gitText } from "./GitProgram.ts"
import { commonOf, copyIfThere, writeRules } from "./HomeRules.ts"
import { isThere } from "./isThere.ts"

/** What is added to each call. */
export type CleanGit = Pick<GitCall, "directory"> & Required<Pick<GitCall, "variables">>

/** Files outside of the sparse patterns count too. */
const everywhere = { "core.sparseCheckout": "false" }

const directoryOf = (path: string): string => join(path, ".git", "backbeat-git")

/** The files of a git directory that say how git reads files. */
const ruleFiles = ["config", "shallow", "info/exclude", "info/attributes", "info/sparse-checkout"]

/** Keeps the rules of a new workspace, and its index: by it git need not read again what has not changed since. */
export const keepRules = Effect.fn("git.keepRules")(function* (own: string, path: string) {
  const to = directoryOf(path)
  const made = `${to}.${randomUUID()}`
  yield* attemptGit(async () => {
    await fs.mkdir(join(made, "refs"), { recursive: true })
    await fs.writeFile(join(made, "HEAD"), "ref: refs/heads/none\n")
    for (const name of ruleFiles) await copyIfThere(join(own, name), join(made, name))
    await copyIndex(join(own, "index"), join(made, "index")).catch(() => {})
    await fs.rename(made, to).catch(async (error: unknown) => {
      await fs.rm(made, { recursive: true, force: true })
      // Another process was first.
      if (!["EEXIST", "ENOTEMPTY"].includes(codeOf(error))) throw error
    })
  })
})

/** A workspace without rules was cut by an earlier version, or its agent has deleted them: they are as the home has them now. */
const makeRules = Effect.fn("git.makeRules")(function* ({ home, path }: Pick<Workspace, "home" | "path">) {
  const temporary = `${directoryOf(path)}.${randomUUID()}`
  const clear = Effect.promise(() => fs.rm(temporary, { recursive: true, force: true }).catch(() => {}))
  const format = yield* gitText({ directory: path, args: ["rev-parse", "--show-object-format"] })
  yield* Effect.gen(function* () {
    yield* attemptGit(() => fs.rm(directoryOf(path), { recursive: true, force: true }))
    yield* git({ directory: null, args: ["init", "--quiet", "--template=", `--object-format=${format}`, temporary] })
    const own = join(temporary, ".git")
    yield* writeRules(home, yield* commonOf(home), own)
    yield* keepRules(own, path)
  }).pipe(Effect.ensuring(clear))
})

/** The commit that is checked out, or the base on a branch that has no commit yet. */
export const headOf = ({ base, path }: Pick<Workspace, "base" | "path">) =>
  Effect.orElse(gitText({ directory: path, args: ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"] }), () =>
    // Where HEAD itself is damaged, this fails too.
    Effect.as(git({ directory: path, args: ["rev-parse", "--git-dir"] }), base)
  )

/** With an index of the commit that is checked out in the workspace. */
export const cleanGit = Effect.fn("git.clean")(function* (workspace: Workspace, index: string) {
  const { path } = workspace
  const directory = directoryOf(path)
  if (!(yield* Effect.promise(() => isThere(join(directory, "HEAD"))))) yield* makeRules(workspace)
  const clean: CleanGit = {
    directory: path,
    variables: {
      GIT_DIR: directory,
      GIT_WORK_TREE: path,
      GIT_OBJECT_DIRECTORY: join(path, ".git", "objects"),
      GIT_INDEX_FILE: index
    }
  }
  // Without it git reads every file again; half of it would be no index.
  yield* attemptGit(() => copyIndex(join(directory, "index"), index).catch(() => fs.rm(index, { force: true })))
  yield* git({ ...clean, args: ["read-tree", "--reset", yield* headOf(workspace)] })
  return clean
})

const isSparse = (call: Pick<GitCall, "directory" | "variables">) =>
  Effect.map(
    gitText({ ...call, args: ["config", "--type=bool", "--get", "core.sparseCheckout"], accepts: [0, 1] }),
    (value) => value === "true"
  )

const patternsIn = (directory: string) =>
  Effect.promise(() => fs.readFile(join(directory, "info", "sparse-checkout"), "utf8").catch(() => null))

/**
 * Files that the agent's own sparse checkout leaves out are not removed: the index keeps them when files are added. To be called
 * before that.
 */
export const keepLeftOut = Effect.fn("git.keepLeftOut")(function* (clean: CleanGit, path: string) {
  if (!(yield* isSparse({ directory: path }))) return
  // What the home's patterns leave out is kept in any case, and in a large repository it is nearly everything.
  if ((yield* patternsIn(join(path, ".git"))) === (yield* patternsIn(directoryOf(path)))) return
  const listed = yield* gitList({ directory: path, args: ["ls-files", "-t", "-z"] })
  const skipped = new Set(listed.filter((entry) => entry.startsWith("S ")).map((entry) => entry.slice(2)))
  const gone = yield* gitList({
    ...clean,
    settings: everywhere,
    args: ["diff-files", "--name-only", "-z", "--diff-filter=D"]
  })
  const leftOut = gone.filter((name) => skipped.has(name))
  if (leftOut.length === 0) return
  yield* git({
    ...clean,
    settings: everywhere,
    args: ["update-index", "--skip-worktree", "-z", "--stdin"],
    stdin: leftOut.map((name) => `${name}\0`).join("")
  })
})

/** Files that git ignores and that the agent has added all the same. An index of the agent that cannot be read names none. */
const addIgnored = Effect.fn("git.addIgnored")(function* (clean: CleanGit, path: string) {
  const names = yield* Effect.orElseSucceed(
    gitList({
      ...clean,
      variables: { ...clean.variables, GIT_INDEX_FILE: join(path, ".git", "index") },
      args: ["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"]
    }),
    () => []
  )
  const kept = yield* Effect.filter(Array.from(new Set(names)), (name) =>
    Effect.promise(() => isThere(join(path, name)))
  )
  if (kept.length === 0) return
  yield* git({
    ...clean,
    settings: everywhere,
    variables: { ...clean.variables, GIT_LITERAL_PATHSPECS: "1" },
    args: ["add", "--force", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"],
    stdin: kept.join("\0"),
    accepts: [0, 1]
  })
})

/**
 * Adds all files but these to the index, and removes from it what is gone; what a sparse checkout of the home leaves out is
 * not taken for removed. Returns the answer of git: files that cannot be read are left out.
 */
export const addAll = Effect.fn("git.addAll")(function* (
  clean: CleanGit,
  workspace: Pick<Workspace, "path">,
  without: ReadonlyArray<string>,
  patienceMs: number
) {
  const files = ["--ignore-errors", "--", ".", ...without.map((name) => `:(exclude,literal)${name}`)]
  const call = { ...clean, patienceMs, accepts: [0, 1] }
  yield* addIgnored(clean, workspace.path)
  if (!(yield* isSparse(clean))) return yield* git({ ...call, args: ["add", "--all", ...files] })
  yield* git({ ...call, args: ["add", "--all", ...files] })
  return yield* git({ ...call, settings: everywhere, args: ["add", "--ignore-removal", ...files] })
})

/** An index for one look that is not part of a claim. The same process id may be another process in another container. */
export const indexForLook = (path: string): string => join(path, ".git", `backbeat-index-${randomUUID()}`)

/** Uses an index and removes it. A git that was killed in an earlier attempt has left it, perhaps locked. */
export const withIndex = <A, R>(index: string, step: Effect.Effect<A, GitFailed, R>) => {
  const clear = Effect.promise(async () => {
    for (const name of [index, `${index}.lock`]) await fs.rm(name, { force: true }).catch(() => {})
  })
  return Effect.ensuring(Effect.zipRight(clear, step), clear)
}
