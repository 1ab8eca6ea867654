/**
 * The light layer: services over the database and nothing else. A command takes one of the three. None of them has an agent,
 * a process or the worker pool in it: `Full.ts` adds those.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Budgets as BudgetsTag } from "../services/Budgets.ts"
import { Checkpoints as CheckpointsTag } from "../services/Checkpoints.ts"
import { Gates as GatesTag } from "../services/Gates.ts"
import { Limits as LimitsTag } from "../services/Limits.ts"
import { OutputStore as OutputStoreTag } from "../services/OutputStore.ts"
import { Questions as QuestionsTag } from "../services/Questions.ts"
import { Tasks as TasksTag } from "../services/Tasks.ts"
import { WorkerRegistry as WorkerRegistryTag } from "../services/WorkerRegistry.ts"
import { Workspaces as WorkspacesTag } from "../services/Workspaces.ts"
import { onDemand, part } from "./OnDemand.ts"
import * as Budgets from "./sql/budgets/Budgets.ts"
import * as Database from "./sql/database/Database.ts"
import * as Gates from "./sql/gates/Gates.ts"
import * as Limits from "./sql/limits/Limits.ts"
import * as OutputStore from "./sql/output/OutputStore.ts"
import * as Questions from "./sql/questions/Questions.ts"
import * as Checkpoints from "./sql/tasks/Checkpoints.ts"
import * as Tasks from "./sql/tasks/Tasks.ts"
import * as WorkerRegistry from "./sql/workers/WorkerRegistry.ts"
import * as Workspaces from "./sql/workspaces/Workspaces.ts"

const few = onDemand(
  part(TasksTag, Tasks.layer),
  part(WorkerRegistryTag, WorkerRegistry.layer),
  part(OutputStoreTag, OutputStore.layer),
  part(CheckpointsTag, Checkpoints.layer),
  part(LimitsTag, Limits.layer),
  part(GatesTag, Gates.layer),
  part(QuestionsTag, Questions.layer),
  part(BudgetsTag, Budgets.layer),
  part(WorkspacesTag, Workspaces.layer)
)

// The module is evaluated when a command asks for it: most commands only look.
const all = Layer.unwrapEffect(
  Effect.map(
    Effect.promise(() => import("./sql/SqlServices.ts")),
    ({ layer }) => layer
  )
)

/** What the most frequent commands need. It never creates a file or changes a row. */
export const look = few.pipe(Layer.provide(Database.layerReader))

/** All services, for reading. Without a database they read an empty one. */
export const read = all.pipe(Layer.provide(Database.layerReader))

/** All services. The database is created and migrated as needed. */
export const write = all.pipe(Layer.provide(Database.layerWriter))
