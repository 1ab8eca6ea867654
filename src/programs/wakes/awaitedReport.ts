/** What the text of a wake says of one task, pipeline, loop or contest. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isOpen } from "../../domain/loop/Loop.ts"
import { isTerminal, type Task, TaskId } from "../../domain/task/Task.ts"
import type { AwaitedId } from "../../domain/wake/Wake.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import type { Awaited } from "../../text/wakeText.ts"
import { workTask } from "../merges/compareWork.ts"
import { type GroupState, groupState } from "../reports/groupState.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"

/** What an isolated task has changed; null for one without a workspace, or where it cannot be compared. */
const filesOf = Effect.fn("awaitedReport.files")(
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

const howOf = ({ cause, status }: Pick<Task, "cause" | "status">): string => {
  if (!isTerminal(status)) return `is still ${status}`
  return status === "completed" || cause === null ? status : `${status} (${cause})`
}

const taskReport = Effect.fn("awaitedReport.task")(function* (id: TaskId) {
  const last = yield* latestAttempt(id)
  const task = yield* (yield* Tasks).get(last.id)
  const report: Awaited = {
    id: task.id,
    name: `Task ${task.id} (${task.agent})`,
    title: task.title,
    isOpen: !isTerminal(task.status),
    how: howOf(task),
    said: task.status === "completed" ? task.answer : task.error,
    files: yield* filesOf(task.id)
  }
  return report
})

type Told = Pick<Awaited, "how" | "isOpen" | "name" | "title"> & {
  /** Where no task speaks for all of it. */
  readonly instead: string | null
}

const told = ({ contest, loop, pipeline }: GroupState): Told | null => {
  if (loop !== null) {
    const { bestRound, id, maxRounds, round, rounds, status, title } = loop
    const kept = bestRound === null ? "no round is kept" : `round ${bestRound} is kept`
    const how = `${isOpen(status) ? `is still ${status}` : status} in round ${round} of ${maxRounds}, ${kept}`
    const instead = rounds?.at(-1)?.feedback ?? null
    return { name: `Loop ${id} (${loop.agent})`, title, isOpen: isOpen(status), how, instead }
  }
  if (contest !== null) {
    const { candidates, id, status, title, winner } = contest
    const kept = candidates?.find(({ number }) => number === winner)
    const how = kept === undefined ? status : `${status}, candidate ${kept.number} (${kept.agent}) is kept`
    const open = status === "running"
    return { name: `Contest ${id}`, title, isOpen: open, how: open ? `is still ${status}` : how, instead: null }
  }
  if (pipeline === null) return null
  const { id, name, status, steps } = pipeline
  const instead = (steps ?? []).map((step) => `${step.name} (${step.taskId}): ${step.error ?? step.status}`).join("\n")
  const open = !isTerminal(status)
  return { name: `Pipeline ${id}`, title: name, isOpen: open, how: open ? `is still ${status}` : status, instead }
}

/** With the answer and the files of the round, the candidate or the step whose work it has kept. */
const groupReport = Effect.fn("awaitedReport.group")(function* (id: AwaitedId) {
  const found = yield* groupState(id, true)
  const words = found === null ? null : told(found)
  if (words === null) return Option.none<Awaited>()
  const { instead, ...shown } = words
  const work = yield* workTask(id).pipe(
    Effect.flatMap((kept) => Effect.flatMap(Tasks, (tasks) => tasks.get(kept))),
    Effect.option
  )
  const answer = Option.getOrNull(work)?.answer ?? null
  const files = Option.isNone(work) ? null : yield* filesOf(work.value.id)
  return Option.some<Awaited>({ ...shown, id, said: answer ?? instead, files })
})

/** None: it was pruned. */
export const awaitedReport = Effect.fn("awaitedReport")(function* (id: AwaitedId) {
  return yield* taskReport(TaskId.make(id)).pipe(
    Effect.asSome,
    Effect.catchTag("TaskNotFound", () => groupReport(id))
  )
})
