/** Runs command lines in this process, over services in memory that the test shares with them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tree } from "../../src/cli/Commands.ts"
import { doctor } from "../../src/cli/commands/setup/doctor.ts"
import { examine } from "../../src/cli/commands/setup/examine.ts"
import { type MachineServices, type StoreServices, Stores } from "../../src/cli/framework/Access.ts"
import { Caller } from "../../src/cli/framework/Caller.ts"
import { only } from "../../src/cli/framework/CommandTree.ts"
import { main } from "../../src/cli/framework/main.ts"
import { capture } from "../../src/cli/framework/Terminal.ts"
import { InvalidInput, StorageError } from "../../src/domain/Errors.ts"
import type { WrittenSettings } from "../../src/domain/settings/Settings.ts"
import * as DatabaseHealth from "../../src/layers/memory/fakes/DatabaseHealth.ts"
import * as McpClients from "../../src/layers/memory/fakes/McpClients.ts"
import * as McpProbe from "../../src/layers/memory/fakes/McpProbe.ts"
import * as ServiceSystem from "../../src/layers/memory/fakes/ServiceSystem.ts"
import { Directories } from "../../src/services/Directories.ts"
import { Installation } from "../../src/services/Installation.ts"
import { TextFiles } from "../../src/services/TextFiles.ts"
import { layer as services } from "../programs/world.ts"

const installation = Layer.succeed(
  Installation,
  Installation.of({
    node: Effect.succeed("20.20.2"),
    file: (path) => Effect.succeed({ kind: path.endsWith(".db") ? "file" : "missing", mode: 0o600, writable: true }),
    tryWrite: () => Effect.succeed(null),
    foreignOwner: () => Effect.succeed(null),
    otherOwner: () => Effect.succeed(null),
    setMode: () => Effect.succeed(true),
    freeBytes: () => Effect.succeed(10_000_000_000),
    entries: () => Effect.succeed([]),
    removeDirectory: () => Effect.succeed(true)
  })
)

const directories = Layer.succeed(
  Directories,
  Directories.of({ resolve: (path, base) => Effect.succeed(path.startsWith("/") ? path : `${base}/${path}`) })
)

const textFiles = (files: Readonly<Record<string, string>>) =>
  Layer.succeed(
    TextFiles,
    TextFiles.of({
      read: (path) => {
        const text = files[path]
        return text === undefined
          ? Effect.fail(new InvalidInput({ field: path, problem: "there is no such file", example: null }))
          : Effect.succeed(text)
      }
    })
  )

/** Everything a command can ask for; the database is shared by all of them. `files` are texts by the path given. */
export const world = (settings: WrittenSettings = {}, files: Readonly<Record<string, string>> = {}) =>
  Layer.mergeAll(
    services(settings),
    DatabaseHealth.layer,
    directories,
    textFiles(files),
    installation,
    McpClients.layer,
    McpProbe.layer,
    ServiceSystem.layer
  )

type World = Exclude<MachineServices, Stores> | StoreServices

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Screen {
  readonly columns?: number
  readonly colour?: boolean
  readonly stdin?: string
  readonly stdinShared?: boolean
  /** The variables of the caller (default: none). */
  readonly environment?: Readonly<Record<string, string>>
  /** The database refuses. */
  readonly broken?: StorageError["reason"]
}

/** The doctor has its own bundle. */
const doctors = only(doctor(examine, () => Effect.dieMessage("no torture here")))

/** What `beat` with these words prints, and its exit code. */
export const beat = (words: ReadonlyArray<string>, screen: Screen = {}): Effect.Effect<Outcome, never, World> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<World>()
    const store: Layer.Layer<StoreServices, StorageError> =
      screen.broken === undefined
        ? Layer.succeedContext(context)
        : Layer.fail(
            new StorageError({
              operation: "open",
              reason: screen.broken,
              path: "/b/backbeat.db",
              cause: new Error("x")
            })
          )
    const machine = Layer.succeedContext(
      Context.add(context, Stores, Stores.of({ look: store, read: store, write: store }))
    )
    const { broken: _, environment = {}, ...terminal } = screen
    const caller = Layer.succeed(Caller, Caller.of({ directory: "/srv", environment, version: "1.2.3" }))
    const seen = capture(terminal)
    const code = yield* main(words[0] === "doctor" ? doctors : tree, machine, words).pipe(
      Effect.provide(Layer.merge(seen.layer, caller))
    )
    return { code, stdout: seen.stdout(), stderr: seen.stderr() }
  })
