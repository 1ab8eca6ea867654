/** Repositories inside a workspace whose contents are in no commit of it. */
import * as Effect from "effect/Effect"
import type { CommitId, Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { type CleanGit, cleanGit, indexForLook, withIndex } from "./CleanGit.ts"
import { gitList } from "./GitProgram.ts"

/** Untracked repositories: git lists one by its name and a slash, however deep it is, and never what is in it. */
export const nestedIn = (clean: CleanGit) =>
  Effect.map(gitList({ ...clean, args: ["ls-files", "-z", "--others", "--exclude-standard"] }), (names) =>
    names.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1))
  )

/** The mode of an entry that is the name of a commit: a submodule, or a repository that was added like a file. */
const linkMode = "160000"

/**
 * Entries whose repository is not as it was in the base: they name a commit that the base does not name, or have files or commits that
 * no entry names. That commit may be in the workspace alone.
 */
export const changedLinks = (clean: CleanGit, base: CommitId) =>
  Effect.map(
    gitList({
      ...clean,
      args: ["diff-index", "--raw", "-z", "--no-renames", "--ignore-submodules=none", base, "--"]
    }),
    (fields) =>
      fields.flatMap((field, at) => {
        const name = fields[at + 1]
        return at % 2 === 0 && field.split(" ")[1] === linkMode && name !== undefined ? [name] : []
      })
  )

/** Their paths, each once. */
export const unsealed = Effect.fn("WorkspaceGit.unsealed")((workspace: Workspace) => {
  const { base, path } = workspace
  const index = indexForLook(path)
  const found = Effect.gen(function* () {
    const clean = yield* cleanGit(workspace, index)
    return Array.from(new Set([...(yield* nestedIn(clean)), ...(yield* changedLinks(clean, base))]))
  })
  return withIndex(index, found).pipe(
    Effect.mapError(({ detail }) => new WorkspaceFailed({ step: "seal", path, detail }))
  )
})
