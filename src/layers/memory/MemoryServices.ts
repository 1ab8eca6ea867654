/** The store ports in memory, over one shared state that each build of the layer creates. */
import * as Layer from "effect/Layer"
import * as Contests from "./fakes/Contests.ts"
import * as Deliveries from "./fakes/Deliveries.ts"
import * as Goals from "./fakes/Goals.ts"
import * as HookSender from "./fakes/HookSender.ts"
import * as Loops from "./fakes/Loops.ts"
import * as Merges from "./fakes/Merges.ts"
import * as Notices from "./fakes/Notices.ts"
import * as Wakes from "./fakes/Wakes.ts"
import * as Workspaces from "./fakes/Workspaces.ts"
import * as Budgets from "./store/Budgets.ts"
import * as Checkpoints from "./store/Checkpoints.ts"
import * as Gates from "./store/Gates.ts"
import * as Ledger from "./store/Ledger.ts"
import * as Limits from "./store/Limits.ts"
import * as Messages from "./store/Messages.ts"
import * as Metrics from "./store/Metrics.ts"
import * as OutputStore from "./store/OutputStore.ts"
import * as Pipelines from "./store/Pipelines.ts"
import * as Questions from "./store/Questions.ts"
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
  Schedules.layer,
  Limits.layer,
  Workspaces.layerTest,
  Ledger.layer,
  Loops.layerTest,
  Contests.layerTest,
  Merges.layerTest,
  Notices.layerTest,
  Deliveries.layerTest,
  HookSender.layerTest,
  Gates.layer,
  Messages.layer,
  Metrics.layer,
  Wakes.layerTest,
  Questions.layer,
  Budgets.layer,
  Goals.layerTest
)

export const layer = layerOverStore.pipe(Layer.provide(Store.layer))
