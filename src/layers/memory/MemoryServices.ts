/** `Queue`, `Tasks`, `WorkerRegistry` and `OutputStore` in memory, over one state that each build of the layer creates. */
import * as Layer from "effect/Layer"
import * as OutputStore from "./store/OutputStore.ts"
import * as Queue from "./store/Queue.ts"
import * as State from "./store/State.ts"
import * as Tasks from "./store/Tasks.ts"
import * as WorkerRegistry from "./store/WorkerRegistry.ts"

export const layer = Layer.mergeAll(Queue.layer, Tasks.layer, WorkerRegistry.layer, OutputStore.layer).pipe(
  Layer.provide(State.layer)
)
