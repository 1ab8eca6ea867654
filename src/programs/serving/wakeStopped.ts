/** Continues the stopped workers that hold tasks which are to end: nothing else can end those while they are stopped. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { withDefaults } from "../../domain/settings/Settings.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Processes } from "../../services/Processes.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"

const everyMs = 2000

/** Begins after the grace time, so that a short stop is left alone. Never returns: to be raced with the wait for the ends. */
export const wakeStopped = Effect.fn("wakeStopped")(function* (ids: ReadonlyArray<TaskId>) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const settings = yield* SettingsStore
  // A config file that is broken does not keep a task from being cancelled.
  const { graceMs } = yield* Effect.orElseSucceed(settings.get, () => withDefaults({}, 1))
  yield* Effect.sleep(graceMs)
  while (true) {
    const claims = yield* Effect.forEach(ids, (id) => retryWhileBusy(registry.claimOf(id)))
    const owners = new Set(claims.flatMap(Option.toArray).map(({ workerId }) => workerId))
    for (const { id, process } of yield* retryWhileBusy(registry.workers)) {
      if (owners.has(id)) yield* processes.wake(process)
    }
    yield* Effect.sleep(everyMs)
  }
})
