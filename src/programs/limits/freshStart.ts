/** How a task that was put back starts again: whether there is a session to continue, and a fresh start where there is none. */
import * as Effect from "effect/Effect"
import { withFreshSession } from "../../domain/task/NewTask.ts"
import { Agents } from "../../services/Agents.ts"
import { Ids } from "../../services/Ids.ts"
import { type Held, Queue } from "../../services/Queue.ts"
import { readEvidence } from "../worker/readEvidence.ts"

/** A request of this run was answered. */
export const wasServed = Effect.fn("freshStart.wasServed")(function* ({ task }: Held) {
  const agents = yield* Agents
  const read = yield* agents.signals(task.agent)
  if (read === null) return false
  const { stdout } = yield* readEvidence(task.id)
  return read("stdout", stdout).some(({ _tag }) => _tag === "Served")
})

/**
 * Whether there is something to continue in the session: a request of it was answered. Otherwise its only turn is the
 * refused one, and to say "continue" there would add another.
 */
export const hasBegun = Effect.fn("freshStart.hasBegun")(function* (held: Held, resumedBefore: boolean) {
  return resumedBefore || held.task.continuation === "session" || (yield* wasServed(held))
})

/** How the task starts again from the beginning: as it was submitted, in a session with another id, because the first id is taken. */
export const freshStart = Effect.fn("freshStart.fresh")(function* ({ task }: Held) {
  const queue = yield* Queue
  const ids = yield* Ids
  const { launch } = yield* queue.captured(task.id)
  const { continuation, sessionId } = task
  const fresh = withFreshSession({ continuation, launch, sessionId }, yield* ids.uuid)
  return { launch: fresh.launch, sessionId: fresh.sessionId }
})
