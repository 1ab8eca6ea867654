/** This machine and its database, for commands: each part is opened only when a command asks for it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agents from "../layers/agents/AgentsOnDemand.ts"
import * as Directories from "../layers/node/files/Directories.ts"
import * as Installation from "../layers/node/files/Installation.ts"
import * as McpClients from "../layers/node/files/McpClients.ts"
import * as Paths from "../layers/node/files/Paths.ts"
import * as SettingsStore from "../layers/node/files/SettingsStore.ts"
import * as TextFiles from "../layers/node/files/TextFiles.ts"
import * as Git from "../layers/node/git/Git.ts"
import * as Host from "../layers/node/process/Host.ts"
import * as Processes from "../layers/node/process/Processes.ts"
import * as Ids from "../layers/node/system/Ids.ts"
import * as McpProbe from "../layers/node/system/McpProbe.ts"
import * as ServiceSystem from "../layers/node/system/ServiceSystem.ts"
import * as WorkerLauncher from "../layers/node/system/WorkerLauncher.ts"
import * as Database from "../layers/sql/database/Database.ts"
import * as DatabaseHealth from "../layers/sql/database/DatabaseHealth.ts"
import * as OutputStore from "../layers/sql/output/OutputStore.ts"
import * as Checkpoints from "../layers/sql/tasks/Checkpoints.ts"
import * as Tasks from "../layers/sql/tasks/Tasks.ts"
import * as WorkerRegistry from "../layers/sql/workers/WorkerRegistry.ts"
import type { Ids as IdsService } from "../services/Ids.ts"
import type { Paths as PathsService } from "../services/Paths.ts"
import { Stores } from "./framework/Access.ts"
import * as WorkerCommand from "./WorkerCommand.entry.ts"

const look = Layer.mergeAll(Tasks.layer, WorkerRegistry.layer, OutputStore.layer, Checkpoints.layer)

// Loaded when a command asks for it.
const services = Layer.unwrapEffect(
  Effect.map(
    Effect.promise(() => import("../layers/sql/SqlServices.ts")),
    ({ layer }) => Layer.merge(layer, DatabaseHealth.layer)
  )
)

const stores = Layer.effect(
  Stores,
  Effect.map(Effect.context<IdsService | PathsService>(), (context) => {
    const known = Layer.succeedContext(context)
    return Stores.of({
      look: look.pipe(Layer.provide(Database.layerReader), Layer.provide(known)),
      read: services.pipe(Layer.provide(Database.layerReader), Layer.provide(known)),
      write: services.pipe(Layer.provide(Database.layerWriter), Layer.provide(known))
    })
  })
)

const ground = Layer.mergeAll(
  Paths.layer,
  Ids.layer,
  Host.layer,
  Processes.layer,
  Directories.layer,
  Git.layer,
  Installation.layer,
  TextFiles.layer
)

export const layer = Layer.mergeAll(
  stores,
  Agents.layer,
  WorkerLauncher.layer,
  McpClients.layer,
  McpProbe.layer,
  ServiceSystem.layer
).pipe(Layer.provideMerge(SettingsStore.layer), Layer.provideMerge(ground), Layer.provide(WorkerCommand.layer))
