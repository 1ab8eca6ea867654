/** Who submits a task: a person or, by the markers in the environment, the agent of another task. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Environment } from "../../domain/task/NewTask.ts"
import { TaskId } from "../../domain/task/Task.ts"
import { Host } from "../../services/Host.ts"

export interface Submitter {
  /** The variables as they are; what a task gets of them is decided when it is prepared. */
  readonly environment: Environment
  /** The task whose agent this is. */
  readonly taskId: TaskId | null
  /** The depth that a task from here claims: 0 from outside, one more than its own for an agent. */
  readonly depth: number
  /** The task whose agent asks for this right now. Missing: a person does, or Backbeat itself prepares stored work again. */
  readonly inside?: TaskId
}

const decodeTaskId = Schema.decodeUnknownOption(TaskId)
const decodeDepth = Schema.decodeUnknownOption(Schema.NumberFromString.pipe(Schema.int(), Schema.between(0, 1_000_000)))

/** Reads the markers every agent gets. Malformed ones count as absent. */
export const submitterOf = (environment: Environment): Submitter => {
  const taskId = Option.getOrNull(decodeTaskId(environment.BACKBEAT_TASK_ID))
  const own = Option.getOrElse(decodeDepth(environment.BACKBEAT_DEPTH), () => (taskId === null ? -1 : 0))
  return { environment, taskId, depth: own + 1, ...(taskId === null ? {} : { inside: taskId }) }
}

/** For the record of who asked: `task <id>`, or the user's name. */
export const nameOf = Effect.fn("nameOf")(function* (submitter: Submitter) {
  if (submitter.taskId !== null) return `task ${submitter.taskId}`
  const host = yield* Host
  return yield* host.user
})
