/** The full layer: `Light.ts`, plus processes, agents and the worker pool. Only a worker and an MCP server take it. */
import * as Layer from "effect/Layer"
import * as WorkerPool from "../programs/serving/WorkerPool.ts"
import * as Agents from "./agents/AgentsJudging.ts"
import * as LimitReader from "./agents/asking/LimitReader.ts"
import * as SessionRecords from "./agents/records/SessionRecords.ts"
import * as Light from "./Light.ts"
import * as Fingerprints from "./node/files/Fingerprints.ts"
import * as Installation from "./node/files/Installation.ts"
import * as Paths from "./node/files/Paths.ts"
import * as SettingsStore from "./node/files/SettingsStore.ts"
import * as Git from "./node/git/Git.ts"
import * as WorkspaceGit from "./node/git/WorkspaceGit.ts"
import * as HookSender from "./node/hooks/HookSender.ts"
import * as Host from "./node/process/Host.ts"
import * as Processes from "./node/process/Processes.ts"
import * as Spawner from "./node/spool/Spawner.ts"
import * as CommitNotifier from "./node/system/CommitNotifier.ts"
import * as Ids from "./node/system/Ids.ts"
import * as TraceFile from "./node/system/TraceFile.ts"
import * as WorkerLauncher from "./node/system/WorkerLauncher.ts"
import * as OwnWork from "./OwnWork.ts"
import * as Database from "./sql/database/Database.ts"
import * as LateRounds from "./sql/loops/LateRounds.ts"
import * as DueTimes from "./sql/workers/DueTimes.ts"
import * as PutRight from "./sql/workers/PutRight.ts"
import * as WorkerWorkspaces from "./sql/workspaces/WorkerWorkspaces.ts"
import * as TerminalEvents from "./TerminalEvents.ts"
import * as Prices from "./usage/Prices.ts"

const machine = Layer.mergeAll(Installation.layer, Paths.layer, Ids.layer, Git.layer, Host.layer, Processes.layer)

const processes = Layer.mergeAll(Spawner.layer, WorkerLauncher.layer, HookSender.layer)

const agents = Agents.layer.pipe(
  Layer.provide(Fingerprints.layer),
  Layer.merge(LimitReader.layer),
  Layer.merge(SessionRecords.layer),
  Layer.merge(Prices.layer),
  Layer.provideMerge(SettingsStore.layer)
)

const workspaces = WorkspaceGit.layer.pipe(Layer.provide(Paths.layer))

// The connection is the one that the light services have: a layer is built once.
const ofWorkers = Layer.mergeAll(DueTimes.layer, LateRounds.layer, PutRight.layer, WorkerWorkspaces.layer).pipe(
  Layer.provide(Database.layerWriter)
)

/** Everything that the worker pool needs. Requires the command that starts `beat` again. */
export const ports = Layer.mergeAll(
  Light.write,
  ofWorkers,
  processes,
  agents,
  workspaces,
  CommitNotifier.layer,
  TerminalEvents.layer
).pipe(Layer.provideMerge(TraceFile.layer), Layer.provideMerge(OwnWork.layer), Layer.provideMerge(machine))

/** A worker: the pool and its ports. */
export const layer = (options: WorkerPool.WorkerPoolOptions) =>
  WorkerPool.layer(options).pipe(Layer.provideMerge(ports))
