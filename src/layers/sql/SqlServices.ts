/** Every service that reads and writes rows, over a connection that the caller gives. Each is made when it is first used. */
import { Budgets as BudgetsTag } from "../../services/Budgets.ts"
import { Checkpoints as CheckpointsTag } from "../../services/Checkpoints.ts"
import { Contests as ContestsTag } from "../../services/Contests.ts"
import { DatabaseHealth as DatabaseHealthTag } from "../../services/DatabaseHealth.ts"
import { Deliveries as DeliveriesTag } from "../../services/Deliveries.ts"
import { Gates as GatesTag } from "../../services/Gates.ts"
import { Goals as GoalsTag } from "../../services/Goals.ts"
import { Ledger as LedgerTag } from "../../services/Ledger.ts"
import { Limits as LimitsTag } from "../../services/Limits.ts"
import { Loops as LoopsTag } from "../../services/Loops.ts"
import { Merges as MergesTag } from "../../services/Merges.ts"
import { Messages as MessagesTag } from "../../services/Messages.ts"
import { Metrics as MetricsTag } from "../../services/Metrics.ts"
import { Notices as NoticesTag } from "../../services/Notices.ts"
import { OutputStore as OutputStoreTag } from "../../services/OutputStore.ts"
import { Pipelines as PipelinesTag } from "../../services/Pipelines.ts"
import { Questions as QuestionsTag } from "../../services/Questions.ts"
import { Queue as QueueTag } from "../../services/Queue.ts"
import { Schedules as SchedulesTag } from "../../services/Schedules.ts"
import { Tasks as TasksTag } from "../../services/Tasks.ts"
import { Wakes as WakesTag } from "../../services/Wakes.ts"
import { WorkerRegistry as WorkerRegistryTag } from "../../services/WorkerRegistry.ts"
import { Workspaces as WorkspacesTag } from "../../services/Workspaces.ts"
import { onDemand, part } from "../OnDemand.ts"
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

export const layer = onDemand(
  part(QueueTag, Queue.layer),
  part(TasksTag, Tasks.layer),
  part(WorkerRegistryTag, WorkerRegistry.layer),
  part(OutputStoreTag, OutputStore.layer),
  part(PipelinesTag, Pipelines.layer),
  part(CheckpointsTag, Checkpoints.layer),
  part(DatabaseHealthTag, DatabaseHealth.layer),
  part(SchedulesTag, Schedules.layer),
  part(LimitsTag, Limits.layer),
  part(WorkspacesTag, Workspaces.layer),
  part(LoopsTag, Loops.layer),
  part(ContestsTag, Contests.layer),
  part(MergesTag, Merges.layer),
  part(LedgerTag, Ledger.layer),
  part(NoticesTag, Notices.layer),
  part(DeliveriesTag, Deliveries.layer),
  part(GatesTag, Gates.layer),
  part(MessagesTag, Messages.layer),
  part(MetricsTag, Metrics.layer),
  part(WakesTag, Wakes.layer),
  part(QuestionsTag, Questions.layer),
  part(BudgetsTag, Budgets.layer),
  part(GoalsTag, Goals.layer)
)
