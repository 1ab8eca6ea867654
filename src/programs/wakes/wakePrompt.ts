/** The prompt of a task that continues after its tasks have ended. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../domain/task/Task.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Wakes } from "../../services/Wakes.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { isScript, quoteFor, remark } from "../../text/Quote.ts"
import { type AwaitedTask, wakeText } from "../../text/wakeText.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"

/** What an isolated task has changed; null for one without a workspace, or where it cannot be compared. */
const filesOf = Effect.fn("wakePrompt.files")(
  function* (id: TaskId) {
    const workspaces = yield* Workspaces
    const git = yield* WorkspaceGit
    const result = yield* workspaces.result(id)
    if (Option.isNone(result)) return null
    const { base, commit, workspaceId } = result.value
    const { home } = yield* workspaces.get(workspaceId)
    return yield* git.changed(home, base, commit, [])
  },
  Effect.catchTags({ WorkspaceFailed: () => Effect.succeed(null), WorkspaceNotFound: () => Effect.succeed(null) })
)

const awaited = Effect.fn("wakePrompt.awaited")(
  function* (id: TaskId) {
    const tasks = yield* Tasks
    const last = yield* latestAttempt(id)
    const { agent, answer, cause, error, status, title } = yield* tasks.get(last.id)
    const files = yield* filesOf(last.id)
    return [{ id: last.id, agent, title, status, cause, error, answer, files } satisfies AwaitedTask]
  },
  // It was pruned.
  Effect.catchTag("TaskNotFound", () => Effect.succeed<ReadonlyArray<AwaitedTask>>([]))
)

/** The wake that this start carries out. Its text is the same however often the start is repeated. */
export const wakePrompt = Effect.fn("wakePrompt")(function* (claimed: ClaimedTask) {
  if (claimed.task.wakes === 0) return null
  const wakes = yield* Wakes
  const found = yield* retryWhileStorageFails(wakes.wokenIn(claimed.claim.claimId))
  if (Option.isNone(found)) return null
  const wake = found.value
  const tasks = yield* retryWhileStorageFails(Effect.forEach(wake.awaited, awaited))
  const { head, reports } = wakeText(wake, tasks.flat())
  const reader = { agent: claimed.task.agent, program: claimed.launch.file }
  const quoted = quoteFor(reader)("What they report.", reports)
  return { n: wake.n, text: `${isScript(reader) ? remark(reader, head.replace(/\n/g, " ")) : head}\n\n${quoted}` }
})

/** The start of an agent that has no session to continue: the results go to its prompt, and a script reads the number. */
export const withWake = (prompt: string, wake: { readonly text: string } | null, claimed: ClaimedTask): string => {
  if (wake === null) return prompt
  const reader = { agent: claimed.task.agent, program: claimed.launch.file }
  return isScript(reader) ? `${wake.text}\n\n${prompt}` : `${prompt}\n\n${wake.text}`
}
