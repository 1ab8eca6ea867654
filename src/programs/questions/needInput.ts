/** Returns when all of some tasks that have not ended wait for a person. */
import * as Effect from "effect/Effect"
import { isAsking } from "../../domain/task/isAsking.ts"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"
import { watch } from "../watch.ts"

/** Their ids, of which there is at least one. Never returns while one of the others can still end. */
export const needInput = Effect.fn("needInput")(function* (ids: ReadonlyArray<TaskId>) {
  const open = Effect.map(Effect.forEach(ids, latestAttempt), (all) => all.filter(({ status }) => !isTerminal(status)))
  const found = yield* watch(open, (tasks) => tasks.length > 0 && tasks.every(isAsking))
  return found.map(({ id }) => id)
})
