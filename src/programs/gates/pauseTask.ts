/** Pauses one task: it does not start, or its running turn is ended and its session kept, or its processes are stopped where they are. */
import * as Effect from "effect/Effect"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { isTerminal, type TaskId, type TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Gates } from "../../services/Gates.ts"
import { Tasks } from "../../services/Tasks.ts"
import { wakingStopped } from "../serving/wakingStopped.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"
import { waitUntil } from "../watch.ts"
import { type EnsureWorkerOptions, ensureWorker } from "../worker/ensureWorker.ts"

export interface Pause {
  readonly until: number | null
  readonly reason: string | null
  readonly by: string
  /** A running task keeps its processes, its memory and its place. */
  readonly freeze: boolean
}

/** Whether its agent may still have a process, and the pause is not ended. */
const isEnding = Effect.fn("pauseTask.isEnding")(function* (id: TaskId) {
  const { status } = yield* (yield* Tasks).summary(id)
  return status === "running" && (yield* (yield* Gates).pausing).includes(id)
})

/** Whether it runs, and not all of its processes are stopped. */
const isFreezing = Effect.fn("pauseTask.isFreezing")(function* (id: TaskId) {
  const { frozenAt, status } = yield* (yield* Tasks).summary(id)
  return status === "running" && frozenAt === null && (yield* (yield* Gates).freezing).includes(id)
})

/** Only a task that has a session, or whose processes are stopped where they are, can be paused while it runs. */
const refuseWithoutSession = Effect.fn("pauseTask.refuse")(function* (
  { agent, id, status }: Pick<TaskSummary, "agent" | "id" | "status">,
  { freeze }: Pause
) {
  if (status !== "running" || freeze || (yield* (yield* Agents).hasSessions(agent))) return
  return yield* new TaskStateConflict({
    id,
    step: "be paused",
    actual: status,
    note: `agent ${agent} keeps no session in which it could continue. To stop its processes where they are: beat pause ${id} --freeze`
  })
})

/** The attempt that counts, as it is once no process of it is left, or once all are stopped. It may have ended before the pause reached it. */
export const pauseTask = Effect.fn("pauseTask")(function* (
  reference: TaskId,
  pause: Pause,
  serving: EnsureWorkerOptions
) {
  const gates = yield* Gates
  const tasks = yield* Tasks
  const found = yield* latestAttempt(reference)
  const { id } = found
  if (isTerminal(found.status)) return yield* new TaskStateConflict({ id, step: "be paused", actual: found.status })
  yield* refuseWithoutSession(found, pause)
  yield* gates.close({ scope: "task", name: id, ...pause })
  // A worker may have claimed it since; from the commit on none does.
  const held = yield* tasks.summary(id)
  yield* Effect.tapError(refuseWithoutSession(held, pause), () => gates.open("task", id))
  if (held.status === "running") {
    yield* waitUntil(pause.freeze ? isFreezing(id) : isEnding(id), (under) => !under, serving).pipe(wakingStopped)
  }
  return yield* tasks.summary(id)
})

/** Ends the pause of a task, and returns the attempt that continues. It may have ended, or its pause, since the caller looked. */
export const resumePaused = Effect.fn("resumePaused")(function* (reference: TaskId) {
  const gates = yield* Gates
  const { id, status } = yield* latestAttempt(reference)
  const conflict = (actual: TaskSummary["status"], note: string) =>
    new TaskStateConflict({ id, step: "be resumed from its pause", actual, note })
  if (isTerminal(status)) return yield* conflict(status, `it ended meanwhile. To continue it: beat resume ${id}`)
  if (!(yield* gates.open("task", id))) {
    return yield* conflict(status, "its pause is over already, and it continues as it was")
  }
  yield* ensureWorker()
  return id
})
