/** The registered workers, alive or not, and the tasks of each. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Claim } from "../../domain/worker/Claim.ts"
import { Alive } from "../../domain/worker/Process.ts"
import { Serving, Worker } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { seenWorkers } from "../serving/Seen.ts"

export const WorkerView = Schema.Struct({
  ...Worker.fields,
  /** Whether it serves the queue, as seen from here. `dead`: another worker takes its claims over. */
  serving: Serving
}).annotations({ identifier: "WorkerView" })
export type WorkerView = typeof WorkerView.Type

const ClaimView = Schema.Struct({
  ...Claim.fields,
  title: Schema.String,
  agent: Schema.NonEmptyString,
  /** Null until the process has reported its identity. */
  alive: Schema.NullOr(Alive),
  /** Its worker is gone and no other worker has taken it over yet. */
  orphaned: Schema.Boolean
}).annotations({ identifier: "ClaimView" })
type ClaimView = typeof ClaimView.Type

export const WorkersReport = Schema.Struct({
  workers: Schema.Array(WorkerView),
  claims: Schema.Array(ClaimView),
  /** The most tasks that may run at the same time, over all processes. */
  limit: Schema.Int
}).annotations({ identifier: "WorkersReport" })
export type WorkersReport = typeof WorkersReport.Type

/** The registered workers with whether they serve the queue, oldest first. */
export const workers = Effect.fn("workers")(function* () {
  const seen = yield* seenWorkers()
  return seen.map(({ worker, serving }): WorkerView => ({ ...worker, serving }))
})

export const workersReport = Effect.fn("workers")(function* () {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const tasks = yield* Tasks
  const settings = yield* SettingsStore
  const { maxConcurrency } = yield* settings.get
  const known = yield* workers()
  const kept = new Set(known.filter(({ serving }) => serving !== "dead").map(({ id }) => id))
  const views = yield* Effect.forEach(yield* registry.claims, (claim) =>
    Effect.gen(function* () {
      const task = yield* tasks.summary(claim.taskId)
      const alive = claim.process === null ? null : yield* processes.alive(claim.process)
      const view: ClaimView = {
        ...claim,
        title: task.title,
        agent: task.agent,
        alive,
        orphaned: !kept.has(claim.workerId)
      }
      return [view]
      // It ended between the two looks.
    }).pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed([])))
  )
  const report: WorkersReport = { workers: known, claims: views.flat(), limit: maxConcurrency }
  return report
})
