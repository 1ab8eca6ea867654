/** Decides the workspace of a task that is submitted: which repository, which commit, which path. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type BaseKind, baseRef, type CommitId, type WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { NotIsolable } from "../../domain/workspace/WorkspaceErrors.ts"
import { Ids } from "../../services/Ids.ts"
import { Paths } from "../../services/Paths.ts"
import { Tasks } from "../../services/Tasks.ts"
import { type HomeState, WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"

interface PlannedWorkspace {
  readonly request: Extract<WorkspaceRequest, { readonly kind: "new" }>
  /** What the submitter should know. */
  readonly notes: ReadonlyArray<string>
}

/** The last part of a path, and a name for the root directory. */
const nameOf = (path: string): string => path.split("/").findLast((part) => part !== "") ?? "root"

const resultOf = Effect.fn("planWorkspace.result")(
  function* (reference: string) {
    const tasks = yield* Tasks
    const workspaces = yield* Workspaces
    return yield* workspaces.result(yield* tasks.resolve(reference))
  },
  Effect.catchTags({
    TaskNotFound: () => Effect.succeedNone,
    AmbiguousReference: () => Effect.succeedNone
  })
)

/** The base by its name: `HEAD`, `tree`, a revision of the repository, or a task with a result. */
const baseOf = Effect.fn("planWorkspace.base")(function* (state: HomeState, name: string, claimId: string) {
  const git = yield* WorkspaceGit
  const found = (commit: CommitId, kind: BaseKind) => ({ commit, kind })
  if (name === "HEAD") return found(state.head, "head")
  if (name === "tree") return found(yield* git.snapshot(state.home, claimId), "tree")
  const revision = yield* Effect.either(git.revision(state.home, name))
  if (revision._tag === "Right") return found(revision.right, "revision")
  const result = yield* resultOf(name)
  if (Option.isNone(result)) return yield* revision.left
  const commit = yield* git
    .revision(state.home, result.value.commit)
    .pipe(Effect.mapError(() => new NotIsolable({ directory: state.home, problem: "no-revision", detail: name })))
  return found(commit, "task")
})

/** Several on one base. Nothing of the user's repository changes but one private name of the base for each. */
export const planWorkspaces = Effect.fn("planWorkspaces")(function* (directory: string, base: string, count: number) {
  const git = yield* WorkspaceGit
  const ids = yield* Ids
  const paths = yield* Paths
  const state = yield* git.inspect(directory)
  const names = yield* Effect.replicateEffect(ids.workspace, count)
  const { commit, kind } = yield* baseOf(state, base, names[0] ?? "")
  const requests = yield* Effect.forEach(names, (id) =>
    Effect.as(git.pin(state.home, baseRef(id), commit), {
      kind: "new" as const,
      id,
      home: state.home,
      subdirectory: state.subdirectory,
      base: commit,
      baseKind: kind,
      path: `${paths.workspaces}/${id}/${nameOf(state.home)}`
    })
  )
  const dirty =
    kind === "tree" || state.dirty === 0
      ? []
      : [
          `${state.dirty === 1 ? "1 uncommitted file is" : `${state.dirty} uncommitted files are`} not in its workspace; --base tree takes ${state.dirty === 1 ? "it" : "them"} along`
        ]
  return { requests, notes: dirty }
})

export const planWorkspace = Effect.fn("planWorkspace")(function* (directory: string, base: string) {
  const { notes, requests } = yield* planWorkspaces(directory, base, 1)
  const [request] = requests
  if (request === undefined) return yield* Effect.dieMessage("no workspace was planned")
  const planned: PlannedWorkspace = { request, notes }
  return planned
})
