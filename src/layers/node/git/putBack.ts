/** Takes back what a git that was killed, or that has failed, has done to files, index and locks of a work tree. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitText } from "./GitProgram.ts"
import { isCutShort, type StepFile, stagedIn, stepFiles, storedNames } from "./StepFiles.ts"

/** A tree of thousands of files takes seconds; a slow disk may take longer. */
export const applyMs = 10 * 60_000

/** Locks of the git that was killed. One that is older belongs to another command. */
export const removeLocks = Effect.fnUntraced(function* (tree: string, refs: ReadonlyArray<string>, since: number) {
  for (const locked of ["index", "HEAD", "packed-refs", ...refs]) {
    const lock = yield* gitText({
      directory: tree,
      args: ["rev-parse", "--path-format=absolute", "--git-path", `${locked}.lock`]
    })
    yield* Effect.promise(async () => {
      const found = await fs.stat(lock).catch(() => null)
      if (found !== null && found.mtimeMs >= since - 1000) await fs.rm(lock, { force: true })
    })
  }
})

const fromStdin = ["--pathspec-from-file=-", "--pathspec-file-nul"]

const literal = (files: ReadonlyArray<StepFile>) => files.map(({ path }) => `:(top,literal)${path}`).join("\0")

/** The files as the first commit of a step has them; those that it has not are removed. */
const restoreFiles = Effect.fnUntraced(function* (
  tree: string,
  from: string,
  files: ReadonlyArray<StepFile>,
  where: ReadonlyArray<"--staged" | "--worktree">
) {
  const had = files.filter((file) => file.from !== null)
  if (had.length > 0) {
    yield* git({
      directory: tree,
      args: ["restore", `--source=${from}`, ...where, ...fromStdin],
      stdin: literal(had),
      patienceMs: applyMs
    })
  }
  yield* Effect.promise(async () => {
    for (const { path } of files.filter((file) => file.from === null)) {
      await fs.rm(join(tree, path), { force: true }).catch(() => {})
    }
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
      args: ["rm", "--cached", "--quiet", "--ignore-unmatch", "--force", ...fromStdin],
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
 * Takes back what git has done on its way from one commit to another before it failed: at a lock, a hook or a file that it cannot write.
 * `recorded` names the files as they were. What git has not touched stays, edited or not.
 */
export const takeBackFailed = Effect.fn("MergeGit.takeBackFailed")(function* (
  tree: string,
  from: CommitId,
  to: CommitId,
  recorded: string
) {
  const files = yield* stepFiles(tree, from, to)
  const staged = yield* stagedIn(tree, from)
  if (files.every((file) => staged.has(file.path) && staged.get(file.path) === file.to)) {
    yield* git({ directory: tree, args: ["update-index", "-q", "--refresh"], accepts: [0, 1] })
    yield* git({ directory: tree, args: ["read-tree", "-m", "-u", to, from], patienceMs: applyMs })
    return
  }
  // It writes the files first, and then the index.
  const paths = new Set(files.map(({ path }) => path))
  const changed = (yield* stepFiles(tree, recorded, to)).filter(({ path }) => paths.has(path))
  const names = yield* storedNames(tree, changed)
  const written = yield* Effect.filter(changed, (file) => {
    const name = names.get(file.path)
    if (name === undefined || name === file.from) return Effect.succeed(false)
    return name === file.to || name === null ? Effect.succeed(true) : isCutShort(tree, file.path, to)
  })
  yield* restoreFiles(tree, recorded, written, ["--worktree"])
})
