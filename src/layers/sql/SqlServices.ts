/** The lightweight set: everything that only reads and writes rows. */
import * as Layer from "effect/Layer"
import * as Checkpoints from "./Checkpoints.ts"
import * as OutputStore from "./OutputStore.ts"
import * as Pipelines from "./Pipelines.ts"
import * as Queue from "./Queue.ts"
import * as Schedules from "./Schedules.ts"
import * as Tasks from "./Tasks.ts"
import * as WorkerRegistry from "./WorkerRegistry.ts"

export const layer = Layer.mergeAll(
  Queue.layer,
  Tasks.layer,
  WorkerRegistry.layer,
  OutputStore.layer,
  Pipelines.layer,
  Checkpoints.layer,
  Schedules.layer
)
