/** This machine and its database, for commands: each part is opened only when a command asks for it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agents from "../layers/agents/AgentsOnDemand.ts"
import * as LimitReader from "../layers/agents/asking/LimitReader.ts"
import * as Light from "../layers/Light.ts"
import * as Directories from "../layers/node/files/Directories.ts"
import * as Fingerprints from "../layers/node/files/Fingerprints.ts"
import * as Installation from "../layers/node/files/Installation.ts"
import * as McpClients from "../layers/node/files/McpClients.ts"
import * as Paths from "../layers/node/files/Paths.ts"
import * as SettingsStore from "../layers/node/files/SettingsStore.ts"
import * as TextFiles from "../layers/node/files/TextFiles.ts"
import * as Git from "../layers/node/git/Git.ts"
import * as MergeGit from "../layers/node/git/MergeGit.ts"
import * as WorkspaceGit from "../layers/node/git/WorkspaceGit.ts"
import * as HookSender from "../layers/node/hooks/HookSender.ts"
import * as Host from "../layers/node/process/Host.ts"
import * as Processes from "../layers/node/process/Processes.ts"
import * as Ids from "../layers/node/system/Ids.ts"
import * as McpProbe from "../layers/node/system/McpProbe.ts"
import * as ServiceSystem from "../layers/node/system/ServiceSystem.ts"
import * as WorkerLauncher from "../layers/node/system/WorkerLauncher.ts"
import { onDemand, part } from "../layers/OnDemand.ts"
import { Agents as AgentsTag } from "../services/Agents.ts"
import { Directories as DirectoriesTag } from "../services/Directories.ts"
import { Fingerprints as FingerprintsTag } from "../services/Fingerprints.ts"
import { Git as GitTag } from "../services/Git.ts"
import { HookSender as HookSenderTag } from "../services/HookSender.ts"
import { Host as HostTag } from "../services/Host.ts"
import { Ids as IdsTag } from "../services/Ids.ts"
import { Installation as InstallationTag } from "../services/Installation.ts"
import { LimitReader as LimitReaderTag } from "../services/LimitReader.ts"
import { McpClients as McpClientsTag } from "../services/McpClients.ts"
import { McpProbe as McpProbeTag } from "../services/McpProbe.ts"
import { MergeGit as MergeGitTag } from "../services/MergeGit.ts"
import type { Paths as PathsTag } from "../services/Paths.ts"
import { Processes as ProcessesTag } from "../services/Processes.ts"
import { ServiceSystem as ServiceSystemTag } from "../services/ServiceSystem.ts"
import { SettingsStore as SettingsStoreTag } from "../services/SettingsStore.ts"
import { TextFiles as TextFilesTag } from "../services/TextFiles.ts"
import { WorkerCommand as WorkerCommandTag } from "../services/WorkerCommand.ts"
import { WorkerLauncher as WorkerLauncherTag } from "../services/WorkerLauncher.ts"
import { WorkspaceGit as WorkspaceGitTag } from "../services/WorkspaceGit.ts"
import { Stores } from "./framework/Access.ts"
import * as WorkerCommand from "./WorkerCommand.entry.ts"

const stores = Layer.effect(
  Stores,
  Effect.map(Effect.context<IdsTag | PathsTag>(), (context) => {
    const known = Layer.succeedContext(context)
    return Stores.of({
      look: Layer.provide(Light.look, known),
      read: Layer.provide(Light.read, known),
      write: Layer.provide(Light.write, known)
    })
  })
)

// The home may be one that cannot be used, and that is said before anything else.
export const layer = onDemand(
  part(Stores, stores),
  part(IdsTag, Ids.layer),
  part(HostTag, Host.layer),
  part(ProcessesTag, Processes.layer),
  part(DirectoriesTag, Directories.layer),
  part(GitTag, Git.layer),
  part(InstallationTag, Installation.layer),
  part(TextFilesTag, TextFiles.layer),
  part(SettingsStoreTag, SettingsStore.layer),
  part(FingerprintsTag, Fingerprints.layer),
  part(AgentsTag, Agents.layer),
  part(WorkerCommandTag, WorkerCommand.layer),
  part(WorkerLauncherTag, WorkerLauncher.layer),
  part(HookSenderTag, HookSender.layer),
  part(LimitReaderTag, LimitReader.layer),
  part(McpClientsTag, McpClients.layer),
  part(McpProbeTag, McpProbe.layer),
  part(ServiceSystemTag, ServiceSystem.layer),
  part(WorkspaceGitTag, WorkspaceGit.layer),
  part(MergeGitTag, MergeGit.layer)
).pipe(Layer.provideMerge(Paths.layer))
