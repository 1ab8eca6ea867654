/** Waits for a contest to be decided, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import type { Contest, ContestId } from "../../domain/contest/Contest.ts"
import { isTerminal } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { wakingStopped } from "../serving/wakingStopped.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { waitUntil } from "../watch.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

const isDecided = ({ status }: Contest) => status !== "running"

/** No time limit: `Effect.timeout` is for the caller. */
export const waitForContest = Effect.fn("waitForContest")(function* (id: ContestId, options: EnsureWorkerOptions) {
  const contests = yield* Contests
  return yield* waitUntil(contests.get(id), isDecided, options)
})

/** Whether a task of it is open: a contest may be decided before the last of its candidates has ended. */
export const hasOpenCandidate = Effect.fn("hasOpenCandidate")(function* (id: ContestId) {
  const tasks = yield* Tasks
  for (const { taskId } of yield* (yield* Contests).entrants(id)) {
    if (!isTerminal((yield* tasks.summary(taskId)).status)) return true
  }
  return false
})

export const requireOwnContest = ({ candidates, id }: Contest, submitter: Submitter, step: string) =>
  requireOwn(
    submitter,
    candidates.map(({ workTask }) => workTask),
    step,
    `contest ${id}`
  )

/** Returns when the processes of its tasks are gone. */
export const cancelContest = Effect.fn("cancelContest")(function* (
  id: ContestId,
  request: CancelRequest,
  submitter: Submitter,
  options: EnsureWorkerOptions
) {
  const contests = yield* Contests
  yield* requireOwnContest(yield* retryWhileBusy(contests.get(id)), submitter, "cancel")
  const answer = yield* retryWhileBusy(contests.cancel(id, request))
  const contest = yield* waitForContest(id, options).pipe(wakingStopped)
  yield* waitUntil(hasOpenCandidate(id), (open) => !open, options).pipe(wakingStopped)
  return { answer, contest }
})
