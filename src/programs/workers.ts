/** Who serves the queue, alive or not, and what each is doing. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Runtime } from "../domain/Runtime.ts"
import { Worker } from "../domain/Worker.ts"
import { Processes } from "../services/Processes.ts"
import { SettingsStore } from "../services/SettingsStore.ts"
import { Tasks } from "../services/Tasks.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"

export const RuntimeView = Schema.Struct({
  ...Runtime.fields,
  /** False: its process is gone; another runtime takes its workers over. */
  alive: Schema.Boolean
}).annotations({ identifier: "RuntimeView" })
export type RuntimeView = typeof RuntimeView.Type

export const WorkerView = Schema.Struct({
  ...Worker.fields,
  title: Schema.String,
  agent: Schema.NonEmptyString,
  /** Null until the process has told who it is. */
  alive: Schema.NullOr(Schema.Boolean),
  /** Its runtime is gone and nobody has taken it over yet. */
  orphaned: Schema.Boolean
}).annotations({ identifier: "WorkerView" })
export type WorkerView = typeof WorkerView.Type

export const WorkersReport = Schema.Struct({
  runtimes: Schema.Array(RuntimeView),
  workers: Schema.Array(WorkerView),
  /** How many may run at once, over all processes. */
  limit: Schema.Int
}).annotations({ identifier: "WorkersReport" })
export type WorkersReport = typeof WorkersReport.Type

/** The registered runtimes with whether they live, oldest first. */
export const runtimes = Effect.fn("runtimes")(function* () {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  return yield* Effect.forEach(yield* registry.runtimes, (runtime) =>
    Effect.map(processes.alive(runtime.process), (alive): RuntimeView => ({ ...runtime, alive }))
  )
})

export const workers = Effect.fn("workers")(function* () {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const tasks = yield* Tasks
  const settings = yield* SettingsStore
  const { maxWorkers } = yield* settings.get
  const known = yield* runtimes()
  const living = new Set(known.filter(({ alive }) => alive).map(({ id }) => id))
  const views = yield* Effect.forEach(yield* registry.workers, (worker) =>
    Effect.gen(function* () {
      const task = yield* tasks.summary(worker.taskId)
      const alive = worker.process === null ? null : yield* processes.alive(worker.process)
      const view: WorkerView = {
        ...worker,
        title: task.title,
        agent: task.agent,
        alive,
        orphaned: !living.has(worker.runtimeId)
      }
      return [view]
      // It ended between the two looks.
    }).pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed([])))
  )
  const report: WorkersReport = { runtimes: known, workers: views.flat(), limit: maxWorkers }
  return report
})
