/** This machine and its database, for commands: everything is opened only when a command asks for it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agents from "../layers/agents/AgentsOnDemand.ts"
import * as Directories from "../layers/node/Directories.ts"
import * as Git from "../layers/node/Git.ts"
import * as Host from "../layers/node/Host.ts"
import * as Ids from "../layers/node/Ids.ts"
import * as Installation from "../layers/node/Installation.ts"
import * as McpClients from "../layers/node/McpClients.ts"
import * as McpProbe from "../layers/node/McpProbe.ts"
import * as Paths from "../layers/node/Paths.ts"
import * as Processes from "../layers/node/Processes.ts"
import * as RuntimeLauncher from "../layers/node/RuntimeLauncher.ts"
import * as ServiceSystem from "../layers/node/ServiceSystem.ts"
import * as SettingsStore from "../layers/node/SettingsStore.ts"
import * as TextFiles from "../layers/node/TextFiles.ts"
import * as Checkpoints from "../layers/sql/Checkpoints.ts"
import * as Database from "../layers/sql/Database.ts"
import * as DatabaseHealth from "../layers/sql/DatabaseHealth.ts"
import * as OutputStore from "../layers/sql/OutputStore.ts"
import * as Tasks from "../layers/sql/Tasks.ts"
import * as WorkerRegistry from "../layers/sql/WorkerRegistry.ts"
import type { Ids as IdsService } from "../services/Ids.ts"
import type { Paths as PathsService } from "../services/Paths.ts"
import { Stores } from "./Access.ts"
import * as RuntimeCommand from "./RuntimeCommand.entry.ts"

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
  RuntimeLauncher.layer,
  McpClients.layer,
  McpProbe.layer,
  ServiceSystem.layer
).pipe(Layer.provideMerge(SettingsStore.layer), Layer.provideMerge(ground), Layer.provide(RuntimeCommand.layer))
