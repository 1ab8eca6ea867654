/** The start of a round in the session of the round before: the text for its agent, and the commit that its files are set to. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../domain/task/Task.ts"
import { Loops } from "../../services/Loops.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import type { ClaimedTask, Held } from "../../services/Queue.ts"
import { wasServed } from "../limits/freshStart.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** Whether the task is the work of a loop whose rounds share a session. */
export const inRoundSession = Effect.fn("inRoundSession")(function* (id: TaskId) {
  const place = yield* retryWhileStorageFails((yield* Loops).roundOf(id))
  return Option.exists(place, ({ loop, role }) => role === "work" && loop.rules.session)
})

/** Its session does not have the text of this round yet: the first turn has not come, or a usage limit refused it. */
export const isUnheardRound = Effect.fn("isUnheardRound")(function* (held: Held) {
  return (yield* inRoundSession(held.task.id)) && !(yield* retryWhileStorageFails(wasServed(held)))
})

/** No agent of this round has printed anything, so none has done anything. */
export const isUnbegunRound = Effect.fn("isUnbegunRound")(function* ({ task }: ClaimedTask) {
  if (!(yield* inRoundSession(task.id))) return false
  const output = yield* OutputStore
  const streams = yield* retryWhileStorageFails(output.streams(task.id))
  return streams.every(({ size }) => size === 0)
})
