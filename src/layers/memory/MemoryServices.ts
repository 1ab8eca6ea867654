/** The store ports in memory, over one shared state that each build of the layer creates. */
import * as Layer from "effect/Layer"
import * as Checkpoints from "./store/Checkpoints.ts"
import * as OutputStore from "./store/OutputStore.ts"
import * as Pipelines from "./store/Pipelines.ts"
import * as Queue from "./store/Queue.ts"
import * as Schedules from "./store/Schedules.ts"
import * as Store from "./store/Store.ts"
import * as Tasks from "./store/Tasks.ts"
import * as WorkerRegistry from "./store/WorkerRegistry.ts"

/** The ports on a `Store` that the caller gives, and can look into. */
export const layerOverStore = Layer.mergeAll(
  Queue.layer,
  Tasks.layer,
  WorkerRegistry.layer,
  OutputStore.layer,
  Pipelines.layer,
  Checkpoints.layer,
  Schedules.layer
)

export const layer = layerOverStore.pipe(Layer.provide(Store.layer))
