/** Every service that reads and writes rows, over a connection that the caller gives. */
import * as Layer from "effect/Layer"
import * as Budgets from "./budgets/Budgets.ts"
import * as Contests from "./contests/Contests.ts"
import * as DatabaseHealth from "./database/DatabaseHealth.ts"
import * as Notices from "./events/Notices.ts"
import * as Gates from "./gates/Gates.ts"
import * as Goals from "./goals/Goals.ts"
import * as Deliveries from "./hooks/Deliveries.ts"
import * as Limits from "./limits/Limits.ts"
import * as Loops from "./loops/Loops.ts"
import * as Merges from "./merges/Merges.ts"
import * as Messages from "./messages/Messages.ts"
import * as Metrics from "./metrics/Metrics.ts"
import * as OutputStore from "./output/OutputStore.ts"
import * as Pipelines from "./pipelines/Pipelines.ts"
import * as Questions from "./questions/Questions.ts"
import * as Queue from "./queue/Queue.ts"
import * as Schedules from "./schedules/Schedules.ts"
import * as Checkpoints from "./tasks/Checkpoints.ts"
import * as Tasks from "./tasks/Tasks.ts"
import * as Ledger from "./usage/Ledger.ts"
import * as Wakes from "./wakes/Wakes.ts"
import * as WorkerRegistry from "./workers/WorkerRegistry.ts"
import * as Workspaces from "./workspaces/Workspaces.ts"

export const layer = Layer.mergeAll(
  Queue.layer,
  Tasks.layer,
  WorkerRegistry.layer,
  OutputStore.layer,
  Pipelines.layer,
  Checkpoints.layer,
  DatabaseHealth.layer,
  Schedules.layer,
  Limits.layer,
  Workspaces.layer,
  Loops.layer,
  Contests.layer,
  Merges.layer,
  Ledger.layer,
  Notices.layer,
  Deliveries.layer,
  Gates.layer,
  Messages.layer,
  Metrics.layer,
  Wakes.layer,
  Questions.layer,
  Budgets.layer,
  Goals.layer
)
