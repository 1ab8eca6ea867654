/** A pool over in-memory fakes, and what tests do with it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EffectQueue from "effect/Queue"
import * as TestClock from "effect/TestClock"
import type { WrittenSettings } from "../../src/domain/settings/Settings.ts"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import * as CommitNotifier from "../../src/layers/memory/fakes/CommitNotifier.ts"
import * as Empty from "../../src/layers/memory/fakes/Empty.ts"
import * as Git from "../../src/layers/memory/fakes/Git.ts"
import * as HookSender from "../../src/layers/memory/fakes/HookSender.ts"
import * as Host from "../../src/layers/memory/fakes/Host.ts"
import * as Ids from "../../src/layers/memory/fakes/Ids.ts"
import * as LimitReader from "../../src/layers/memory/fakes/LimitReader.ts"
import * as MergeGit from "../../src/layers/memory/fakes/MergeGit.ts"
import * as Processes from "../../src/layers/memory/fakes/Processes.ts"
import * as SettingsStore from "../../src/layers/memory/fakes/SettingsStore.ts"
import * as Spawner from "../../src/layers/memory/fakes/Spawner.ts"
import { SpawnerControl } from "../../src/layers/memory/fakes/SpawnerControl.ts"
import * as WorkerLauncher from "../../src/layers/memory/fakes/WorkerLauncher.ts"
import * as WorkspaceGit from "../../src/layers/memory/fakes/WorkspaceGit.ts"
import * as MemoryServices from "../../src/layers/memory/MemoryServices.ts"
import * as TerminalEventsPubSub from "../../src/layers/TerminalEvents.ts"
import * as WorkerPoolLayer from "../../src/programs/serving/WorkerPool.ts"
import { Agents } from "../../src/services/Agents.ts"
import { Installation } from "../../src/services/Installation.ts"
import { Paths } from "../../src/services/Paths.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerPool } from "../../src/services/WorkerPool.ts"
import { sharedSql } from "../support/stores.ts"
import { newTask } from "../support/tasks.ts"
import { paths } from "./world.ts"

/** Judges by the exit code alone, as for an agent without a stream format. */
const agents = Layer.mock(Agents, {
  account: () => Effect.succeed(null),
  list: () =>
    Effect.succeed([
      {
        name: "shell",
        title: "Shell",
        custom: false,
        program: "/bin/sh",
        path: "/bin/sh",
        install: null,
        credentials: "not-needed" as const,
        login: null,
        default: true
      }
    ]),
  resumes: (agent) => Effect.succeed(agent === "claude"),
  hasSessions: (agent) => Effect.succeed(agent === "claude"),
  isFinal: () => Effect.succeed(false),
  signals: () => Effect.succeed(null),
  renderer: () => Effect.succeed({ line: (raw) => [raw], end: () => [] }),
  verdict: (_agent, { end, stdout }) =>
    Effect.succeed({
      status: end.exitCode === 0 ? ("completed" as const) : ("failed" as const),
      cause: end.signal === null ? ("exit" as const) : ("signal" as const),
      error: end.exitCode === 0 ? null : `exit ${end.exitCode}`,
      failureClass: null,
      failureResetAt: null,
      sessionId: null,
      answer: stdout.join("\n"),
      usage: null
    })
})

/** A machine on which everything is where it was. */
const installation = Layer.mock(Installation, {
  file: (path) =>
    Effect.succeed({
      kind: path.startsWith("/gone") ? "missing" : path.startsWith("/bin") ? "file" : "directory",
      mode: 0o755,
      writable: true
    })
})

const machine = (settings: WrittenSettings) =>
  Layer.mergeAll(
    HookSender.layerTest,
    WorkerLauncher.layer,
    Spawner.layer,
    CommitNotifier.layer,
    Processes.layer,
    Host.layer,
    Git.layer,
    WorkspaceGit.layerTest,
    MergeGit.layerTest,
    SettingsStore.layer(settings),
    TerminalEventsPubSub.layer,
    agents,
    installation,
    LimitReader.layer,
    Layer.succeed(Paths, paths)
  )

/** All that a pool needs, without a database: `Queue`, `WorkerRegistry`, `OutputStore` and `Spawner` are their fakes. */
export const testLayer = (settings: WrittenSettings = {}) =>
  Layer.mergeAll(MemoryServices.layer.pipe(Layer.provideMerge(Ids.layerTest)), Empty.layer, machine(settings))

/** The same over a database in memory: for schedules, budgets, gates, checkpoints and all else that only a database keeps. */
export const sqlLayer = (settings: WrittenSettings = {}) => Layer.merge(sharedSql, machine(settings))

export const submit = Effect.fn(function* (overrides: Partial<NewTask> = {}) {
  const queue = yield* Queue
  const [stored] = yield* queue.enqueue([newTask(overrides)], { maxDepth: 3 })
  if (stored === undefined) return yield* Effect.dieMessage("nothing was stored")
  return stored.task.id
})

export const pool = (options: { readonly kind?: "worker" | "on-demand"; readonly leaveWhenIdle?: boolean } = {}) => {
  const { kind = "worker", leaveWhenIdle = false } = options
  return Effect.flatMap(WorkerPool, ({ left }) => left).pipe(
    Effect.provide(WorkerPoolLayer.layer({ kind, version: "0.0.0", leaveWhenIdle, handOverWithin: null })),
    Effect.fork
  )
}

/** Lets time pass, half a second at a time and two minutes at most, until `look` is true. */
export const eventually = <E, R>(what: string, look: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    for (let step = 0; step < 240; step++) {
      if (yield* look) return
      yield* TestClock.adjust("500 millis")
    }
    return yield* Effect.dieMessage(`did not happen: ${what}`)
  })

export const ended = Effect.fn(function* (id: TaskId) {
  const tasks = yield* Tasks
  yield* eventually(
    `task ${id} ends`,
    Effect.map(tasks.summary(id), (task) => task.endedAt !== null)
  )
  return yield* tasks.get(id)
})

export const nextStart = Effect.gen(function* () {
  const control = yield* SpawnerControl
  yield* eventually(
    "an agent starts",
    Effect.map(EffectQueue.size(control.started), (size) => size > 0)
  )
  return yield* EffectQueue.take(control.started)
})
