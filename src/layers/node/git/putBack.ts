/** Takes back what a killed git has done to files, index and locks of a work tree. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitText } from "./GitProgram.ts"
import { type StepFile, stagedIn } from "./StepFiles.ts"

/** A tree of thousands of files takes seconds; a slow disk may take longer. */
export const applyMs = 10 * 60_000

/** Locks of the git that was killed. One that is older belongs to another command. */
export const removeLocks = Effect.fn("MergeGit.removeLocks")(function* (tree: string, name: string, since: number) {
  for (const locked of ["index", "HEAD", `refs/heads/${name}`]) {
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

/** The files of a step as its first commit has them, by git; those that only the second has are removed. */
export const putBack = Effect.fn("MergeGit.putBack")(function* (
  tree: string,
  from: CommitId,
  files: ReadonlyArray<StepFile>,
  edited: ReadonlyArray<string> = []
) {
  const spared = new Set(edited)
  const touched = files.filter(({ path }) => !spared.has(path))
  const named = (some: ReadonlyArray<StepFile>) => some.map(({ path }) => `:(top,literal)${path}`).join("\0")
  const had = touched.filter((file) => file.from !== null)
  const added = touched.filter((file) => file.from === null)
  if (had.length > 0) {
    yield* git({
      directory: tree,
      args: ["restore", `--source=${from}`, "--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul"],
      stdin: named(had),
      patienceMs: applyMs
    })
  }
  if (added.length === 0) return
  yield* git({
    directory: tree,
    args: ["rm", "--cached", "--quiet", "--ignore-unmatch", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"],
    stdin: named(added)
  })
  yield* Effect.promise(async () => {
    for (const { path } of added) await fs.rm(join(tree, path), { force: true }).catch(() => {})
  })
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
    args: ["restore", `--source=${from}`, "--staged", "--pathspec-from-file=-", "--pathspec-file-nul"],
    stdin: ours.map(({ path }) => `:(top,literal)${path}`).join("\0")
  })
})
