/** Seals a workspace: one commit of everything in it, made without its index, and brought home under a private name. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { branchOf, CommitId, type Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import type { Seal, SealRequest } from "../../../services/WorkspaceGit.ts"
import { codeOf } from "../files/SystemCode.ts"
import { addAll, type CleanGit, cleanGit, headOf, keepLeftOut, withIndex } from "./CleanGit.ts"
import { copyIndex } from "./copyIndex.ts"
import { type GitAnswer, type GitCall, GitFailed, git, gitText, said } from "./GitProgram.ts"
import { changedLinks, nestedIn } from "./unsealed.ts"

/** A tree of 50,000 files is sealed in a fraction of a second; a slow disk may take longer. */
const sealMs = 10 * 60_000

/** Nested repositories that are named. */
const mostNested = 20

const decodeCommit = Schema.decodeUnknown(CommitId)

/** The name of a commit or a tree in what git printed. */
export const nameIn = (text: string): Effect.Effect<CommitId, GitFailed> =>
  Effect.mapError(
    decodeCommit(text.trim()),
    () => new GitFailed({ reason: "exit", code: null, detail: `git answered '${text.slice(0, 80)}' for a commit` })
  )

/** What git prints about files that it could not add. It skips a directory with only a warning. */
const missingIn = ({ code, stderr }: GitAnswer): string | null => {
  const unread = /^warning: (could not open directory .*)$/m.exec(stderr)?.[1]
  return code === 0 ? (unread ?? null) : said(stderr)
}

/** The tree of all files. The agent's index and what it staged stay as they are. */
const treeOf = Effect.fn("seal.tree")(function* (
  clean: CleanGit,
  workspace: Pick<Workspace, "path">,
  nested: ReadonlyArray<string>
) {
  const added = yield* addAll(clean, workspace, nested, sealMs)
  const tree = yield* nameIn(yield* gitText({ ...clean, args: ["write-tree"] }))
  return { tree, missing: missingIn(added) }
})

/** A lock of a private name that is older than this, in milliseconds, was left by a killed git: a living one holds it only for a moment. */
const lockMs = 5000

/** Locks that are removed for one call: git names only the first that stops it. */
const mostLocks = 10

/** The lock of a private name that stopped git, or null. */
const privateLock = ({ detail }: GitFailed): string | null =>
  /Unable to create '(.+\/refs\/backbeat\/.+\.lock)': File exists/.exec(detail)?.[1] ?? null

/** Runs git on private names. A git that was killed in an earlier attempt, with its worker or by a power cut, has left its locks. */
const gitOnPrivateNames = (call: GitCall) =>
  git(call).pipe(
    Effect.tapError((error) => {
      const lock = privateLock(error)
      if (lock === null) return Effect.void
      return Effect.gen(function* () {
        const modified = () =>
          fs.stat(lock).then(
            ({ mtimeMs }) => mtimeMs,
            () => null
          )
        const before = yield* Effect.promise(modified)
        if (before === null) return
        yield* Effect.sleep(Math.min(lockMs, Math.max(0, lockMs - (yield* Clock.currentTimeMillis) + before)))
        if ((yield* Effect.promise(modified)) === before) yield* Effect.promise(() => fs.rm(lock, { force: true }))
      })
    }),
    Effect.retry({ times: mostLocks, while: (error) => privateLock(error) !== null })
  )

/** Commits as the workspace's own author, at a fixed date: the same files give the same commit. */
const commitOf = Effect.fn("seal.commit")(function* (
  path: string,
  tree: string,
  message: string,
  at: number,
  parent: string
) {
  // With the sign a small number is a time too, and no year.
  const date = `@${Math.floor(at / 1000)} +0000`
  const name = yield* gitText({ directory: path, args: ["config", "user.name"], accepts: [0, 1] })
  const email = yield* gitText({ directory: path, args: ["config", "user.email"], accepts: [0, 1] })
  const author = { name: name === "" ? "Backbeat" : name, email: email === "" ? "backbeat@localhost" : email }
  const text = yield* gitText({
    directory: path,
    args: ["commit-tree", tree, "-p", parent],
    stdin: message,
    variables: {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: date
    }
  })
  return yield* nameIn(text)
})

/** Objects and one private name; nothing else of the home changes. */
const bringHome = (home: string, path: string, refspecs: ReadonlyArray<string>) =>
  gitOnPrivateNames({
    directory: home,
    args: [
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-auto-gc",
      "--no-recurse-submodules",
      "--force",
      path,
      ...refspecs
    ],
    patienceMs: sealMs
  })

const countsOf = (numstat: string) =>
  numstat
    .split("\n")
    .filter((line) => line !== "")
    .reduce(
      (sum, line) => {
        const [added = "0", removed = "0"] = line.split("\t")
        return {
          files: sum.files + 1,
          insertions: sum.insertions + (Number(added) || 0),
          deletions: sum.deletions + (Number(removed) || 0)
        }
      },
      { files: 0, insertions: 0, deletions: 0 }
    )

/** Stashes that are brought home, the newest first. */
const mostStashes = 100

/** Where the workspace keeps its stashes until they are copied home: git itself names only the newest. */
const stashes = "refs/backbeat/stash"

/** Names every stash but the newest, which has a name, and forgets those of the seal before. */
const nameStashes = Effect.fn("seal.stashes")(function* (path: string) {
  const listed = yield* gitText({ directory: path, args: ["stash", "list", "--format=%H"] })
  const older = listed === "" ? [] : listed.split("\n").slice(1, mostStashes)
  const known = yield* gitText({ directory: path, args: ["for-each-ref", "--format=%(refname)", `${stashes}/`] })
  const stale = known === "" ? [] : known.split("\n").slice(older.length)
  const steps = [
    ...older.map((commit, at) => `update ${stashes}/${at + 1} ${commit}`),
    ...stale.map((name) => `delete ${name}`)
  ]
  if (steps.length > 0) {
    yield* gitOnPrivateNames({ directory: path, args: ["update-ref", "--stdin"], stdin: `${steps.join("\n")}\n` })
  }
  return older.map((_, at) => at + 1)
})

/** The agent's own branches and its stashes, each under a name of the task. */
const otherRefs = Effect.fn("seal.refs")(function* ({ home, id, path }: Workspace, ref: string, sealed: CommitId) {
  const refs = (directory: string, ...args: ReadonlyArray<string>) =>
    Effect.map(gitText({ directory, args: ["for-each-ref", "--format=%(objectname) %(refname)", ...args] }), (text) =>
      text === "" ? [] : text.split("\n").map((line) => line.split(" ") as [string, string])
    )
  const older = yield* nameStashes(path)
  const own = yield* refs(path, "refs/heads", "refs/stash")
  const homes = new Map((yield* refs(home, "refs/heads")).map(([commit, name]) => [name, commit]))
  // The branch of the workspace is in the seal, unless the agent has left it behind.
  const branch = `refs/heads/${branchOf(id)}`
  const behind = yield* refs(path, `--no-merged=${sealed}`, branch)
  return [
    ...own
      .filter(([commit, name]) => (name === branch ? behind.length > 0 : homes.get(name) !== commit))
      .map(([, name]) => `+${name}:${ref}.refs/${name.replace(/^refs\//, "")}`),
    ...older.map((at) => `+${stashes}/${at}:${ref}.refs/stashes/${at}`)
  ]
})

const indexOf = (path: string, claimId: string): string => join(path, ".git", `backbeat-index-${claimId}`)

/** The tree of all files as they are: what the agent's sparse checkout leaves out is not in it. */
export const treeNow = Effect.fn("WorkspaceGit.tree")(function* (workspace: Workspace, claimId: string) {
  const { path } = workspace
  const index = indexOf(path, claimId)
  const found = Effect.gen(function* () {
    const clean = yield* cleanGit(workspace, index)
    const { tree } = yield* treeOf(clean, workspace, yield* nestedIn(clean))
    return tree
  })
  return yield* withIndex(index, found).pipe(
    Effect.mapError(({ detail }) => new WorkspaceFailed({ step: "seal", path, detail }))
  )
})

export const seal = Effect.fn("WorkspaceGit.seal")(function* ({ at, claimId, message, ref, workspace }: SealRequest) {
  const { base, home, path } = workspace
  const index = indexOf(path, claimId)
  const sealed = Effect.gen(function* () {
    const clean = yield* cleanGit(workspace, index)
    const nested = yield* nestedIn(clean)
    yield* keepLeftOut(clean, path)
    const { missing, tree } = yield* treeOf(clean, workspace, nested)
    yield* failpoint("seal.tree")
    const head = yield* nameIn(yield* headOf(workspace))
    const headTree = yield* nameIn(yield* gitText({ directory: path, args: ["rev-parse", `${head}^{tree}`] }))
    const commit = tree === headTree ? head : yield* commitOf(path, tree, message, at, head)
    yield* failpoint("seal.committed")
    yield* gitOnPrivateNames({ directory: path, args: ["update-ref", "refs/backbeat/seal", commit] })
    yield* failpoint("seal.named")
    const others = yield* otherRefs(workspace, ref, commit)
    const problem = yield* bringHome(home, path, [`+refs/backbeat/seal:${ref}`, ...others]).pipe(
      Effect.as(null),
      Effect.catchTag("GitFailed", ({ detail }) => Effect.succeed(detail))
    )
    yield* failpoint("seal.home")
    const counts = countsOf(
      yield* gitText({
        directory: path,
        args: ["diff", "--numstat", "--no-renames", "--no-ext-diff", base, commit, "--"]
      })
    )
    const made = yield* gitText({ directory: path, args: ["rev-list", "--count", `${base}..${head}`] })
    const found: Seal = {
      commit,
      tree,
      ...counts,
      commits: Number(made) || 0,
      nested: Array.from(new Set([...nested, ...(yield* changedLinks(clean, base))])).slice(0, mostNested),
      home: problem === null,
      problem: problem ?? missing
    }
    return found
  })
  return yield* withIndex(index, sealed).pipe(
    Effect.mapError(({ detail }) => new WorkspaceFailed({ step: "seal", path, detail }))
  )
})

/** The user's files as one commit on top of HEAD, by a separate index in Backbeat's directory. */
export const snapshotTree = Effect.fn("WorkspaceGit.snapshot")(function* (home: string, index: string, at: number) {
  const taken = Effect.gen(function* () {
    const variables = { GIT_INDEX_FILE: index }
    const own = yield* gitText({
      directory: home,
      args: ["rev-parse", "--path-format=absolute", "--git-path", "index"]
    })
    yield* Effect.tryPromise({
      try: () => copyIndex(own, index),
      catch: (error) => new GitFailed({ reason: "exit", code: null, detail: codeOf(error) })
    })
    yield* git({
      directory: home,
      args: ["add", "--all", "--ignore-errors", "--", "."],
      variables,
      patienceMs: sealMs,
      accepts: [0, 1]
    })
    const tree = yield* nameIn(yield* gitText({ directory: home, args: ["write-tree"], variables }))
    return yield* commitOf(home, tree, "Files as they were when the task was submitted\n", at, "HEAD")
  })
  return yield* withIndex(index, taken)
})
