/** Ends queued tasks that have waited for limits as long as they may: none of them has an agent that could be refused once more. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { passes } from "../../domain/Errors.ts"
import { givenUp, type Overdue } from "../../domain/limits/Parking.ts"
import { Limits } from "../../services/Limits.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { autoRetry } from "../worker/autoRetry.ts"

/** How it ends, and its retry. What cannot be read or prepared again ends without one. */
const endOf = Effect.fn("giveUp.endOf")(function* (overdue: Overdue) {
  const result = givenUp(overdue, yield* Clock.currentTimeMillis)
  const once = { result, retry: null }
  if (overdue.maxRetries === 0) return once
  const task = (yield* Tasks).get(overdue.id)
  return yield* Effect.flatMap(task, (found) => autoRetry(found, result)).pipe(
    Effect.catchAll((error) =>
      error._tag === "StorageError" && passes(error) ? Effect.fail(error) : Effect.succeed(once)
    )
  )
})

const end = Effect.fn("giveUp.one")(function* (overdue: Overdue) {
  const { result, retry } = yield* endOf(overdue)
  const ended = yield* (yield* Queue).finish(overdue.id, result, null, retry)
  yield* (yield* TerminalEvents).publish(ended)
  yield* Effect.logInfo(`task ${overdue.id} failed: it has waited for limits as long as it may`)
})

/** A task that another process starts, ends or forgets meanwhile is left to it, and one that fails here keeps no other from its end. */
export const giveUp = Effect.gen(function* () {
  for (const overdue of yield* (yield* Limits).overdue) {
    yield* end(overdue).pipe(
      Effect.catchAll((error) =>
        error._tag === "StorageError" && passes(error)
          ? Effect.fail(error)
          : error._tag === "TaskStateConflict" || error._tag === "TaskNotFound"
            ? Effect.void
            : Effect.logWarning(`task ${overdue.id} could not be ended: ${error.message}`)
      )
    )
  }
}).pipe(Effect.withSpan("giveUp"))
