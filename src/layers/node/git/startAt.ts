/** Sets a workspace to a commit, whatever its agent has told git to overlook. */
import * as Effect from "effect/Effect"
import { branchOf, type CommitId, type Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { git } from "./GitProgram.ts"
import { settingsOfSeal, showHidden } from "./Overlooked.ts"

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

export const startAt = Effect.fn("WorkspaceGit.startAt")(function* (workspace: Workspace, commit: CommitId) {
  const { id, path } = workspace
  yield* Effect.gen(function* () {
    const settings = yield* settingsOfSeal(workspace)
    yield* fetchCommit(workspace, commit)
    // A file that git skips would stay as the agent has left it.
    yield* showHidden(path, { settings, variables: {} })
    yield* git({ directory: path, args: ["checkout", "--quiet", "--force", "-B", branchOf(id), commit], settings })
    yield* failpoint("start.checkedOut")
    yield* git({ directory: path, args: ["clean", "--quiet", "-f", "-d"], settings })
  }).pipe(Effect.mapError(({ detail }) => new WorkspaceFailed({ step: "start", path, detail })))
})
