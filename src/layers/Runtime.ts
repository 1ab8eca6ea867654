/** The full runtime: the SQL services, plus agents, processes, the machine and the fan-out of ends. */
import * as Layer from "effect/Layer"
import * as Agents from "./agents/Agents.ts"
import * as Commits from "./node/Commits.ts"
import * as Git from "./node/Git.ts"
import * as Host from "./node/Host.ts"
import * as Ids from "./node/Ids.ts"
import * as Installation from "./node/Installation.ts"
import * as Paths from "./node/Paths.ts"
import * as Processes from "./node/Processes.ts"
import * as RuntimeLauncher from "./node/RuntimeLauncher.ts"
import * as SettingsStore from "./node/SettingsStore.ts"
import * as Spawner from "./node/Spawner.ts"
import * as Database from "./sql/Database.ts"
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
  RuntimeLauncher.layer,
  Commits.layer,
  TerminalEvents.layer
).pipe(
  Layer.provideMerge(machine),
  // Nobody collects spans here, and making them is a good part of what a look at the state costs.
  Layer.provideMerge(Layer.setTracerEnabled(false))
)
