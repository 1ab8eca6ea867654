/** Pauses and resumes loops: those of a person, and for an agent those that it has started. */
import * as Effect from "effect/Effect"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import { Loops } from "../../services/Loops.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"

/** All rounds have one submitter: the first, which is stored with the loop, tells it. */
export const requireOwnLoop = Effect.fn("requireOwnLoop")(function* (id: LoopId, submitter: Submitter, step: string) {
  if (submitter.taskId === null) return
  const { rounds } = yield* retryWhileBusy((yield* Loops).get(id))
  const first = rounds.slice(0, 1).map(({ workTask }) => workTask)
  yield* requireOwn(submitter, first, step, `loop ${id}`)
})

export const pauseLoop = Effect.fn("pauseLoop")(function* (id: LoopId, submitter: Submitter) {
  yield* requireOwnLoop(id, submitter, "pause")
  return yield* (yield* Loops).pause(id)
})

export const resumeLoop = Effect.fn("resumeLoop")(function* (id: LoopId, submitter: Submitter) {
  yield* requireOwnLoop(id, submitter, "resume")
  return yield* (yield* Loops).resume(id)
})
