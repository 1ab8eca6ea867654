/** Returns when all of some tasks that have not ended wait for limits that end later than a caller waits. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"

/** Limits come and go within minutes. */
const lookMs = 2000

const yes = Effect.succeed(true)

/** `patienceMs`: how long the caller waits from now on. Their ids are returned. */
export const parkedBeyond = Effect.fn("parkedBeyond")(function* (ids: ReadonlyArray<TaskId>, patienceMs: number) {
  const tasks = yield* Tasks
  const until = (yield* Clock.currentTimeMillis) + patienceMs
  const beyond = (id: TaskId) =>
    Effect.map(
      retryWhileBusy(tasks.limitWait(id)),
      Option.exists(({ opensAt }) => opensAt > until)
    )
  const ended = (id: TaskId) => Effect.map(retryWhileBusy(tasks.summary(id)), ({ status }) => isTerminal(status))
  while (true) {
    // Most waits are not for a limit: the first open task says so.
    const held = yield* Effect.every(ids, (id) =>
      Effect.if(beyond(id), { onTrue: () => yes, onFalse: () => ended(id) })
    )
    const open = held ? yield* Effect.filter(ids, (id) => Effect.negate(ended(id))) : []
    if (open.length > 0) return open
    yield* Effect.sleep(lookMs)
  }
})
