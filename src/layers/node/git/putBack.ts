/** Takes back what a git that was killed, or that has failed, has done to files, index and locks of a work tree. */
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitText } from "./GitProgram.ts"
import { displacedIn, isCutShort, leftOut, type StepFile, stagedIn, stepFiles, storedNames } from "./StepFiles.ts"
import { users } from "./users.ts"
import { obstacleOf } from "./WorkTreePaths.ts"

/** A tree of thousands of files takes seconds; a slow disk may take longer. */
export const applyMs = 10 * 60_000

/** A git that works in the tree is waited for this many times. */
const looks = 50
const lookEvery = "200 millis"

/** Locks of the git that was killed: not older than it, and no git works there that could hold one. */
export const removeLocks = Effect.fnUntraced(function* (tree: string, refs: ReadonlyArray<string>, since: number) {
  const locks: Array<string> = []
  for (const locked of ["index", "HEAD", "packed-refs", ...refs]) {
    const lock = yield* gitText({
      directory: tree,
      args: ["rev-parse", "--path-format=absolute", "--git-path", `${locked}.lock`]
    })
    const found = yield* Effect.promise(() => fs.stat(lock).catch(() => null))
    if (found !== null && found.mtimeMs >= since - 1000) locks.push(lock)
  }
  if (locks.length === 0) return
  const isBusy = Effect.map(users({ path: tree }), (found) => found.some((user) => user.startsWith("git ")))
  for (let look = 0; yield* isBusy; look += 1) {
    if (look >= looks) return
    yield* Effect.sleep(lookEvery)
  }
  yield* Effect.promise(() => Promise.all(locks.map((lock) => fs.rm(lock, { force: true }).catch(() => {}))))
})

const fromStdin = ["--pathspec-from-file=-", "--pathspec-file-nul"]

const literal = (files: ReadonlyArray<StepFile>) => files.map(({ path }) => `:(top,literal)${path}`).join("\0")

/** Removes files, and the directories that are empty then. */
const removeFiles = (tree: string, paths: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    for (const path of paths) {
      if ((await obstacleOf(tree, path)) !== null) continue
      await fs.rm(join(tree, path), { force: true }).catch(() => {})
      for (let above = dirname(path); above !== "."; above = dirname(above)) {
        const removed = await fs.rmdir(join(tree, above)).then(
          () => true,
          () => false
        )
        if (!removed) break
      }
    }
  })

/** The files as the first commit of a step has them; those that it has not are removed. */
const restoreFiles = Effect.fnUntraced(function* (
  tree: string,
  from: string,
  files: ReadonlyArray<StepFile>,
  where: ReadonlyArray<"--staged" | "--worktree">
) {
  yield* removeFiles(
    tree,
    files.flatMap((file) => (file.from === null ? [file.path] : []))
  )
  const had = files.filter((file) => file.from !== null)
  if (had.length === 0) return
  const sparse = yield* leftOut(tree)
  const restore = (some: ReadonlyArray<StepFile>, words: ReadonlyArray<string>) =>
    some.length === 0
      ? Effect.void
      : git({
          directory: tree,
          args: ["restore", `--source=${from}`, ...words, ...fromStdin],
          stdin: literal(some),
          patienceMs: applyMs
        })
  yield* restore(
    had.filter(({ path }) => !sparse.has(path)),
    where
  )
  const absent = had.filter(({ path }) => sparse.has(path))
  if (absent.length === 0 || !where.includes("--staged")) return
  yield* restore(absent, ["--staged", "--ignore-skip-worktree-bits"])
  yield* git({
    directory: tree,
    args: ["update-index", "--skip-worktree", "-z", "--stdin"],
    stdin: absent.map(({ path }) => path).join("\0")
  })
})

/** The files of a step as its first commit has them, by git; those that only the second has are removed. */
export const putBack = Effect.fn("MergeGit.putBack")(function* (
  tree: string,
  from: CommitId,
  files: ReadonlyArray<StepFile>,
  edited: ReadonlyArray<string> = []
) {
  const spared = new Set(edited)
  const touched = files.filter(({ path }) => !spared.has(path))
  const added = touched.filter((file) => file.from === null)
  if (added.length > 0) {
    yield* git({
      directory: tree,
      args: ["rm", "--cached", "--sparse", "--quiet", "--ignore-unmatch", "--force", ...fromStdin],
      stdin: literal(added)
    })
  }
  yield* restoreFiles(tree, from, touched, ["--staged", "--worktree"])
})

/** What the killed step has staged of files that were edited since. */
export const unstage = Effect.fn("MergeGit.unstage")(function* (
  tree: string,
  from: CommitId,
  files: ReadonlyArray<StepFile>,
  edited: ReadonlyArray<string>
) {
  const staged = yield* stagedIn(tree, from)
  const ours = files.filter(({ path, to }) => edited.includes(path) && staged.has(path) && staged.get(path) === to)
  if (ours.length === 0) return
  yield* git({
    directory: tree,
    args: ["restore", `--source=${from}`, "--staged", ...fromStdin],
    stdin: literal(ours)
  })
})

/**
 * Takes back what git has done on its way from one commit to another before it failed: at a lock, or at a file that it cannot write.
 * `recorded` names the files as they were, and `there` has the paths at which the user had a file that is not in it: git has written
 * none of those. What git has not touched stays, edited or not.
 */
export const takeBackFailed = Effect.fn("MergeGit.takeBackFailed")(function* (
  tree: string,
  from: CommitId,
  to: CommitId,
  recorded: string,
  there: ReadonlyArray<string>
) {
  const files = yield* stepFiles(tree, from, to)
  const staged = yield* stagedIn(tree, from)
  const recordedFiles = new Map((yield* stepFiles(tree, recorded, to)).map((file) => [file.path, file]))
  // It writes the files first, and then the index.
  if (files.every((file) => staged.has(file.path) && staged.get(file.path) === file.to)) {
    yield* git({ directory: tree, args: ["update-index", "-q", "--refresh"], accepts: [0, 1] })
    yield* git({ directory: tree, args: ["read-tree", "-m", "-u", to, from], patienceMs: applyMs })
    const before = files.filter(({ path, to: name }) => name !== null && !recordedFiles.has(path))
    yield* restoreFiles(
      tree,
      recorded,
      before.map((file) => ({ ...file, from: file.to })),
      ["--worktree"]
    )
    return
  }
  const sparse = yield* leftOut(tree)
  const spared = new Set([...sparse, ...there, ...(yield* displacedIn(tree, files))])
  const changed = files.flatMap(({ path }) => (spared.has(path) ? [] : (recordedFiles.get(path) ?? [])))
  const names = yield* storedNames(tree, changed)
  const written = yield* Effect.filter(changed, (file) => {
    // Only its mode changes.
    if (file.from === file.to) return Effect.succeed(true)
    const name = names.get(file.path)
    if (name === file.from) return Effect.succeed(false)
    // A directory in its place.
    if (name === undefined) return Effect.succeed(file.from !== null)
    return name === file.to || name === null ? Effect.succeed(true) : isCutShort(tree, file.path, to)
  })
  yield* restoreFiles(tree, recorded, written, ["--worktree"])
})
