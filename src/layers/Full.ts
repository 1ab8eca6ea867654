/** The full worker: the SQL services, plus agents, processes, the machine and the fan-out of ends. */
import * as Layer from "effect/Layer"
import * as Agents from "./agents/AgentsJudging.ts"
import * as Installation from "./node/files/Installation.ts"
import * as Paths from "./node/files/Paths.ts"
import * as SettingsStore from "./node/files/SettingsStore.ts"
import * as Git from "./node/git/Git.ts"
import * as Host from "./node/process/Host.ts"
import * as Processes from "./node/process/Processes.ts"
import * as Spawner from "./node/spool/Spawner.ts"
import * as CommitNotifier from "./node/system/CommitNotifier.ts"
import * as Ids from "./node/system/Ids.ts"
import * as TraceFile from "./node/system/TraceFile.ts"
import * as WorkerLauncher from "./node/system/WorkerLauncher.ts"
import * as Database from "./sql/database/Database.ts"
import * as SqlServices from "./sql/SqlServices.ts"
import * as TerminalEvents from "./TerminalEvents.ts"

const machine = Layer.mergeAll(Installation.layer, Paths.layer, Ids.layer, Host.layer, Processes.layer, Git.layer)

const store = SqlServices.layer.pipe(Layer.provide(Database.layerWriter))

const agents = Agents.layer.pipe(Layer.provideMerge(SettingsStore.layer))

/** What the worker pool needs. Requires the command that starts `beat` again. */
export const layer = Layer.mergeAll(
  store,
  agents,
  Spawner.layer,
  WorkerLauncher.layer,
  CommitNotifier.layer,
  TerminalEvents.layer
).pipe(Layer.provideMerge(TraceFile.layer), Layer.provideMerge(machine))
