/** `Queue`, `Tasks`, `WorkerRegistry`, `OutputStore` and `DueTimes` in memory, over one state that each build of the layer creates. */
import * as Layer from "effect/Layer"
import * as DueTimes from "./fakes/DueTimes.ts"
import * as OutputStore from "./store/OutputStore.ts"
import * as Queue from "./store/Queue.ts"
import * as State from "./store/State.ts"
import * as Tasks from "./store/Tasks.ts"
import * as WorkerRegistry from "./store/WorkerRegistry.ts"

export const layer = DueTimes.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Queue.layer, Tasks.layer, WorkerRegistry.layer, OutputStore.layer)),
  Layer.provide(State.layer)
)
