/** The store ports in memory, over one state of their own: fresh with each build. */
import * as Layer from "effect/Layer"
import * as Checkpoints from "./Checkpoints.ts"
import * as OutputStore from "./OutputStore.ts"
import * as Pipelines from "./Pipelines.ts"
import * as Queue from "./Queue.ts"
import * as Schedules from "./Schedules.ts"
import * as Store from "./Store.ts"
import * as Tasks from "./Tasks.ts"
import * as WorkerRegistry from "./WorkerRegistry.ts"

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
