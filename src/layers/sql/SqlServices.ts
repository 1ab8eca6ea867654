/** The lightweight set: everything that only reads and writes rows. */
import * as Layer from "effect/Layer"
import * as OutputStore from "./output/OutputStore.ts"
import * as Pipelines from "./pipelines/Pipelines.ts"
import * as Queue from "./queue/Queue.ts"
import * as Schedules from "./schedules/Schedules.ts"
import * as Checkpoints from "./tasks/Checkpoints.ts"
import * as Tasks from "./tasks/Tasks.ts"
import * as WorkerRegistry from "./workers/WorkerRegistry.ts"

export const layer = Layer.mergeAll(
  Queue.layer,
  Tasks.layer,
  WorkerRegistry.layer,
  OutputStore.layer,
  Pipelines.layer,
  Checkpoints.layer,
  Schedules.layer
)
