/** Notes that the work of a candidate changed a protected file, so that the transaction which judges it knows. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../domain/task/Task.ts"
import type { WorkResult } from "../../domain/workspace/Workspace.ts"
import { Contests } from "../../services/Contests.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** Shown for a candidate whose changes could not be compared: it is not kept. */
const unknownFile = "(its changes could not be compared)"

/** The candidate that this task belongs to; null for any other task. */
export const candidateOf = Effect.fn("candidateOf")(function* (task: TaskId) {
  const contests = yield* Contests
  return Option.getOrNull(yield* retryWhileStorageFails(contests.placeOf(task)))
})

/** Repeated it notes the same. */
export const recordCandidate = Effect.fn("recordCandidate")(function* ({ base, commit, taskId }: WorkResult) {
  const place = yield* candidateOf(taskId)
  if (place === null || place.role !== "work" || place.rules.protect.length === 0) return
  const git = yield* WorkspaceGit
  const contests = yield* Contests
  const workspaces = yield* Workspaces
  const found = yield* retryWhileStorageFails(workspaces.ofTask(taskId))
  if (Option.isNone(found)) return
  const changed = yield* git
    .changed(found.value.workspace.path, base, commit, place.rules.protect)
    .pipe(Effect.catchTag("WorkspaceFailed", (error) => Effect.as(Effect.logError(error.message), [unknownFile])))
  const [first] = changed
  if (first !== undefined) yield* retryWhileStorageFails(contests.tampered(taskId, first))
  yield* failpoint("contest.recorded")
})
