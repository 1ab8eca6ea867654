/** What a command may use: the cheap services always, the store only on demand. */
import * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import type { StorageError } from "../../domain/Errors.ts"
import type { Agents } from "../../services/Agents.ts"
import type { Budgets } from "../../services/Budgets.ts"
import type { Checkpoints } from "../../services/Checkpoints.ts"
import type { Contests } from "../../services/Contests.ts"
import type { DatabaseHealth } from "../../services/DatabaseHealth.ts"
import type { Deliveries } from "../../services/Deliveries.ts"
import type { Directories } from "../../services/Directories.ts"
import type { Gates } from "../../services/Gates.ts"
import type { Git } from "../../services/Git.ts"
import type { Goals } from "../../services/Goals.ts"
import type { HookSender } from "../../services/HookSender.ts"
import type { Host } from "../../services/Host.ts"
import type { Ids } from "../../services/Ids.ts"
import type { Installation } from "../../services/Installation.ts"
import type { Ledger } from "../../services/Ledger.ts"
import type { LimitReader } from "../../services/LimitReader.ts"
import type { Limits } from "../../services/Limits.ts"
import type { Loops } from "../../services/Loops.ts"
import type { McpClients } from "../../services/McpClients.ts"
import type { McpProbe } from "../../services/McpProbe.ts"
import type { MergeGit } from "../../services/MergeGit.ts"
import type { Merges } from "../../services/Merges.ts"
import type { Messages } from "../../services/Messages.ts"
import type { Metrics } from "../../services/Metrics.ts"
import type { Notices } from "../../services/Notices.ts"
import type { OutputStore } from "../../services/OutputStore.ts"
import type { Paths } from "../../services/Paths.ts"
import type { Pipelines } from "../../services/Pipelines.ts"
import type { Processes } from "../../services/Processes.ts"
import type { Questions } from "../../services/Questions.ts"
import type { Queue } from "../../services/Queue.ts"
import type { Schedules } from "../../services/Schedules.ts"
import type { ServiceSystem } from "../../services/ServiceSystem.ts"
import type { SettingsStore } from "../../services/SettingsStore.ts"
import type { Tasks } from "../../services/Tasks.ts"
import type { TextFiles } from "../../services/TextFiles.ts"
import type { WorkerLauncher } from "../../services/WorkerLauncher.ts"
import type { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import type { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import type { Workspaces } from "../../services/Workspaces.ts"

/** The services for looking at tasks. */
type LookServices =
  | Tasks
  | WorkerRegistry
  | OutputStore
  | Checkpoints
  | Limits
  | Gates
  | Questions
  | Budgets
  | Workspaces

/** The services over the database. */
export type StoreServices =
  | LookServices
  | Queue
  | Pipelines
  | DatabaseHealth
  | Schedules
  | Loops
  | Goals
  | Contests
  | Merges
  | Ledger
  | Notices
  | Deliveries
  | Messages
  | Metrics

/** The ways to open the database. Nothing is opened before one of the layers is built. */
export class Stores extends Context.Tag("backbeat/Stores")<
  Stores,
  {
    /** Like `read`, but with only the services that frequent commands need: the others would slow them down. */
    readonly look: Layer.Layer<LookServices, StorageError>
    /** Never creates a file or changes a row, but migrates an older schema. Without a database it reads an empty one. */
    readonly read: Layer.Layer<StoreServices, StorageError>
    /** Creates and migrates the database as needed. */
    readonly write: Layer.Layer<StoreServices, StorageError>
  }
>() {}

/** The services of this machine, none of which touches the database. */
export type MachineServices =
  | Stores
  | Paths
  | Ids
  | Host
  | Processes
  | Directories
  | Git
  | WorkspaceGit
  | MergeGit
  | Installation
  | TextFiles
  | SettingsStore
  | Agents
  | LimitReader
  | HookSender
  | WorkerLauncher
  | McpClients
  | McpProbe
  | ServiceSystem
