/** Sets a workspace to a commit, whatever its agent has told git. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { branchOf, type CommitId, type Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { cleanGit, indexForLook, withIndex } from "./CleanGit.ts"
import { copyIndex } from "./copyIndex.ts"
import { attemptGit, git } from "./GitProgram.ts"

/** A work tree of 50,000 files takes seconds; a slow disk may take longer. */
const startMs = 10 * 60_000

/** A merge, pick or revert that the agent has not ended. A switch of branches by git removes these as well. */
const unended = [
  "AUTO_MERGE",
  "CHERRY_PICK_HEAD",
  "MERGE_HEAD",
  "MERGE_MODE",
  "MERGE_MSG",
  "MERGE_RR",
  "REVERT_HEAD",
  "SQUASH_MSG"
]

/** Brings the commit from the home where the workspace has not got it. */
const fetchCommit = Effect.fn("start.fetch")(function* ({ home, path }: Workspace, commit: CommitId) {
  const known = yield* git({ directory: path, args: ["cat-file", "-e", `${commit}^{commit}`], accepts: [0, 1, 128] })
  if (known.code === 0) return
  yield* git({
    directory: path,
    args: ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", home, commit],
    variables: { GIT_CONFIG_COUNT: "0" }
  }).pipe(
    Effect.catchAll(() =>
      git({ directory: path, args: ["fetch", "--quiet", "--no-tags", home, "+refs/backbeat/*:refs/backbeat/home/*"] })
    )
  )
})

/** The agent's git finds the branch checked out, and its index as its files are. */
const checkedOut = Effect.fn("start.checkedOut")(function* ({ id, path }: Workspace, commit: CommitId, index: string) {
  const own = join(path, ".git")
  const branch = `refs/heads/${branchOf(id)}`
  yield* git({ directory: path, args: ["symbolic-ref", "HEAD", branch] })
  yield* git({ directory: path, args: ["update-ref", branch, commit] })
  yield* attemptGit(async () => {
    for (const name of [...unended, "index.lock"]) await fs.rm(join(own, name), { force: true })
    const made = join(own, "index.backbeat")
    await copyIndex(index, made)
    await fs.rename(made, join(own, "index"))
  })
})

export const startAt = Effect.fn("WorkspaceGit.startAt")(function* (workspace: Workspace, commit: CommitId) {
  const { path } = workspace
  const index = indexForLook(path)
  const started = Effect.gen(function* () {
    yield* fetchCommit(workspace, commit)
    const clean = yield* cleanGit(workspace, index)
    yield* git({ ...clean, args: ["read-tree", "--reset", "-u", commit], patienceMs: startMs })
    yield* failpoint("start.filled")
    yield* checkedOut(workspace, commit, index)
    yield* failpoint("start.checkedOut")
    yield* git({ ...clean, args: ["clean", "--quiet", "-f", "-d"], patienceMs: startMs })
  })
  yield* withIndex(index, started).pipe(
    Effect.mapError(({ detail }) => new WorkspaceFailed({ step: "start", path, detail }))
  )
})
