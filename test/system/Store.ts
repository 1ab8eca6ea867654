/** Opens the database of a test's home by the real layers, in this process, for what commands would be too slow or too polite for. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import * as Ids from "../../src/layers/node/system/Ids.ts"
import * as Database from "../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import type { Checkpoints } from "../../src/services/Checkpoints.ts"
import type { OutputStore } from "../../src/services/OutputStore.ts"
import { Paths } from "../../src/services/Paths.ts"
import type { Queue } from "../../src/services/Queue.ts"
import type { Schedules } from "../../src/services/Schedules.ts"
import type { Tasks } from "../../src/services/Tasks.ts"
import type { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { newTask } from "../support/tasks.ts"
import type { Beat } from "./Beat.ts"

/** Runs an effect over the store of this home, and closes the database again. */
export const withStore = <A, E>(
  beat: Beat,
  effect: Effect.Effect<A, E, Queue | Tasks | WorkerRegistry | OutputStore | Checkpoints | Schedules>
): Promise<A> => {
  const home = join(beat.home, "state")
  const paths = Layer.succeed(
    Paths,
    Paths.of({
      home,
      database: beat.databaseFile,
      spool: join(home, "spool"),
      workspaces: join(home, "workspaces"),
      trash: join(home, "trash"),
      logs: join(home, "logs"),
      config: join(home, "config.json")
    })
  )
  const services = SqlServices.layer.pipe(
    Layer.provide(Database.layerWriter),
    Layer.provide(Layer.merge(paths, Ids.layer))
  )
  return Effect.runPromise(Effect.provide(effect, services))
}

/** A task for the `shell` agent as `beat run` would store it. */
export const shellTask = (beat: Beat, command: string, overrides: Partial<NewTask> = {}): NewTask =>
  newTask({
    prompt: command,
    agent: "shell",
    directory: beat.home,
    maxOutputBytes: 1_000_000,
    launch: { file: "/bin/sh", args: ["{promptFile}"], promptAt: [0], stdin: "none" },
    environment: beat.environment,
    ...overrides
  })
