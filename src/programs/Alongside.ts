/** Finds the tasks that share a work tree with a task: their changes cannot be attributed to one of them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Task, TaskId, TaskPlace } from "../domain/task/Task.ts"
import { Git } from "../services/Git.ts"
import { Tasks } from "../services/Tasks.ts"

/** Tasks that are looked at, and tasks that are named. */
const mostLooked = 500
const mostNamed = 20

/** One task at a time works in a workspace, so that only tasks without one share files. */
const here = Effect.fn("alongside.here")(function* (
  { directory, workspaceId }: Pick<Task, "directory" | "workspaceId">,
  open: ReadonlyArray<TaskPlace>
) {
  const places = workspaceId === null ? open.filter((place) => place.workspaceId === null) : []
  if (places.length === 0) return []
  const git = yield* Git
  const directories = Array.from(new Set([directory, ...places.map((place) => place.directory)]))
  const roots = new Map(
    yield* Effect.forEach(directories, (one) => Effect.map(git.workTree(one), (root) => [one, root] as const), {
      concurrency: 8
    })
  )
  return places.filter((place) => roots.get(place.directory) === roots.get(directory)).slice(0, mostNamed)
})

/** Tasks that ran in the work tree of this one between its start and `until`, oldest first, at most 20. */
export const ranAlongside = Effect.fn("ranAlongside")(function* (
  task: Pick<Task, "id" | "directory" | "startedAt" | "workspaceId">,
  until: number
) {
  if (task.startedAt === null) return []
  const tasks = yield* Tasks
  const others = (yield* tasks.during(task.startedAt, until, mostLooked)).filter(({ id }) => id !== task.id)
  return (yield* here(task, others)).map(({ id }) => id)
})

/** The task and the tasks above it, whose agents mostly wait for it. */
const lineOf = Effect.fn("alongside.line")(
  function* (task: Pick<Task, "id" | "parentId">) {
    const tasks = yield* Tasks
    const line: Array<TaskId> = [task.id]
    let next = task.parentId
    while (next !== null && !line.includes(next)) {
      line.push(next)
      next = (yield* tasks.summary(next)).parentId
    }
    return line
  },
  (line, task) => Effect.catchTag(line, "TaskNotFound", () => Effect.succeed([task.id]))
)

/** Tasks that run or are about to start in the work tree of one that is about to start too. Never fails: that one is stored. */
export const mayRunAlongside = Effect.fn("mayRunAlongside")(
  function* (task: Task) {
    const now = yield* Clock.currentTimeMillis
    if (task.status !== "queued" || task.waitingOn > 0 || (task.notBefore ?? 0) > now) return []
    const tasks = yield* Tasks
    const open = yield* tasks.during(now, null, mostLooked)
    if (open.length <= 1) return []
    const line = yield* lineOf(task)
    return yield* here(
      task,
      open.filter(({ id }) => !line.includes(id))
    )
  },
  Effect.orElseSucceed((): ReadonlyArray<TaskPlace> => [])
)

const named = (ids: ReadonlyArray<TaskId>): string =>
  `${ids.slice(0, 3).join(", ")}${ids.length > 3 ? " and others" : ""}`

/** The warning for the submitter; null if there is none. */
export const sharedWarning = (others: ReadonlyArray<TaskPlace>): string | null => {
  const [first, ...more] = others.map(({ id }) => id)
  if (first === undefined) return null
  return more.length === 0
    ? `task ${first} works in the same directory at the same time, and the changes of the two can get mixed up. To start after it: --after ${first}`
    : `${others.length} tasks work in the same directory at the same time, and their changes can get mixed up: ${named([first, ...more])}`
}

/** The text instead of a task's changes; null if no other task ran there. */
export const sharedWords = (others: ReadonlyArray<TaskId>): string | null =>
  others.length === 0
    ? null
    : `changed while ${others.length === 1 ? "another task" : `${others.length} other tasks`} ran here: ${others.join(", ")}`
