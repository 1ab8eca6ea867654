/** Continues the stopped workers that hold tasks which are to end or to pause: nothing else can do that while they are stopped. */
import * as Effect from "effect/Effect"
import { withDefaults } from "../../domain/settings/Settings.ts"
import { Gates } from "../../services/Gates.ts"
import { Processes } from "../../services/Processes.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"

const everyMs = 2000

/** The tasks that a worker has to end, to park or to freeze, by a cancel or a pause. */
const toStop = Effect.gen(function* () {
  const gates = yield* Gates
  const tasks = yield* Tasks
  const paused = [...(yield* gates.pausing), ...(yield* gates.freezing)]
  return yield* Effect.filter(yield* (yield* WorkerRegistry).claims, ({ taskId }) =>
    tasks.summary(taskId).pipe(
      Effect.map(({ cancelRequestedAt }) => cancelRequestedAt !== null || paused.includes(taskId)),
      // What cannot be read now is looked at again soon.
      Effect.orElseSucceed(() => false)
    )
  )
})

/** Begins after the grace time, so that a short stop is left alone. Never returns. */
const wakeStopped = Effect.gen(function* () {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const settings = yield* SettingsStore
  // A config file that is broken does not keep a task from being cancelled.
  const { graceMs } = yield* Effect.orElseSucceed(settings.get, () => withDefaults({}, 1))
  yield* Effect.sleep(graceMs)
  while (true) {
    const owners = new Set((yield* retryWhileBusy(toStop)).map(({ workerId }) => workerId))
    for (const { id, process } of yield* retryWhileBusy(registry.workers)) {
      if (owners.has(id)) yield* processes.wake(process)
    }
    yield* Effect.sleep(everyMs)
  }
})

/** For each wait for the end of a cancel or a pause: a worker that is stopped would not carry it out. */
export const wakingStopped = <A, E, R>(wait: Effect.Effect<A, E, R>) => Effect.raceFirst(wait, wakeStopped)
