/** Keeps agents to what they delegated themselves. One user is one trust domain: this stops accidents, not attacks. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import { OutsideTask } from "../../domain/task/TaskBoundary.ts"
import { Tasks } from "../../services/Tasks.ts"
import type { Submitter } from "./Submitter.ts"

/** Deeper than agents can delegate. */
const mostLevels = 200

/** All attempts of one piece of work are the same agent's. */
const rootOf = Effect.fn("requireOwn.root")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const { parentId, rootId } = yield* tasks.summary(id)
  return { root: rootId ?? id, parentId }
})

const isBelow = Effect.fn("requireOwn.isBelow")(
  function* (id: TaskId, root: TaskId) {
    let next = (yield* rootOf(id)).parentId
    for (let level = 0; next !== null && level < mostLevels; level += 1) {
      const found: { readonly root: TaskId; readonly parentId: TaskId | null } = yield* rootOf(next)
      if (found.root === root) return true
      next = found.parentId
    }
    return false
  },
  Effect.catchTag("TaskNotFound", () => Effect.succeed(false))
)

/**
 * Outside of a task everything is the user's own. `what` names the pipeline, loop, contest or workspace that these tasks make up:
 * one without tasks is not the agent's.
 */
export const requireOwn = Effect.fn("requireOwn")(function* (
  { taskId }: Submitter,
  ids: ReadonlyArray<TaskId>,
  step: string,
  what: string | null = null
) {
  if (taskId === null) return
  const outside = (one: string) => new OutsideTask({ inside: taskId, step: `${step} ${one}` })
  if (what !== null && ids.length === 0) return yield* outside(what)
  const { root } = yield* rootOf(taskId).pipe(
    // A task of another home: none of the tasks here is below it.
    Effect.catchTag("TaskNotFound", () => Effect.succeed({ root: taskId }))
  )
  for (const id of ids) {
    if (!(yield* isBelow(id, root))) return yield* outside(what ?? `task ${id}`)
  }
})

export const requireOutside = ({ taskId }: Submitter, step: string) =>
  taskId === null ? Effect.void : new OutsideTask({ inside: taskId, step })
