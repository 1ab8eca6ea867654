/** The ports that submitting and waiting programs use, over a database in memory, with agents that note what they were asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { AgentUnknown } from "../../src/domain/Errors.ts"
import type { WrittenSettings } from "../../src/domain/settings/Settings.ts"
import type { Outcome } from "../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { type Worker, WorkerId } from "../../src/domain/worker/Worker.ts"
import * as Git from "../../src/layers/memory/fakes/Git.ts"
import * as HookSender from "../../src/layers/memory/fakes/HookSender.ts"
import * as Host from "../../src/layers/memory/fakes/Host.ts"
import * as LimitReader from "../../src/layers/memory/fakes/LimitReader.ts"
import * as MergeGit from "../../src/layers/memory/fakes/MergeGit.ts"
import * as Processes from "../../src/layers/memory/fakes/Processes.ts"
import * as SettingsStore from "../../src/layers/memory/fakes/SettingsStore.ts"
import * as WorkerLauncher from "../../src/layers/memory/fakes/WorkerLauncher.ts"
import * as WorkspaceGit from "../../src/layers/memory/fakes/WorkspaceGit.ts"
import type { Submission } from "../../src/programs/tasks/prepareTask.ts"
import type { Submitter } from "../../src/programs/tasks/Submitter.ts"
import { Agents, type PrepareRequest } from "../../src/services/Agents.ts"
import { Paths } from "../../src/services/Paths.ts"
import { Queue } from "../../src/services/Queue.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { sharedSql } from "../support/stores.ts"
import { workerWith } from "../support/tasks.ts"

/** What agents were prepared for, in order. */
export class Prepared extends Context.Tag("backbeat/test/Prepared")<
  Prepared,
  { readonly requests: Effect.Effect<ReadonlyArray<PrepareRequest>> }
>() {}

/** Knows `shell` and, with a session id of its own for each start, `claude`. */
const agents = Layer.effectContext(
  Effect.gen(function* () {
    const requests = yield* Ref.make<ReadonlyArray<PrepareRequest>>([])
    const prepare: Context.Tag.Service<Agents>["prepare"] = Effect.fnUntraced(function* (request) {
      const before = yield* Ref.getAndUpdate(requests, (all) => [...all, request])
      const agent = request.agent ?? "shell"
      if (agent !== "shell" && agent !== "claude") return yield* new AgentUnknown({ agent, known: ["claude", "shell"] })
      const resumed = agent === "claude" ? (request.resume ?? null) : null
      const sessionId = resumed ?? (agent === "claude" ? `session-${before.length + 1}` : null)
      return {
        agent,
        model: request.model,
        launch: {
          file: `/usr/bin/${agent}`,
          args: sessionId === null ? ["-c", "{prompt}"] : [resumed === null ? "--session-id" : "--resume", sessionId],
          promptAt: sessionId === null ? [1] : [],
          stdin: sessionId === null ? ("none" as const) : ("prompt" as const),
          ...(Object.keys(request.extra).length === 0 ? {} : { given: Object.keys(request.extra) })
        },
        environment: { ...request.environment, ...request.extra },
        sessionId,
        stallMs: agent === "claude" ? 60_000 : undefined,
        warnings: agent === "claude" ? ["no credentials were seen"] : []
      }
    })
    const plain = { line: (raw: string) => [raw], end: () => [] }
    return Context.make(
      Agents,
      Agents.of({
        prepare,
        renderer: () => Effect.succeed(plain),
        list: () => Effect.succeed([]),
        isFinal: () => Effect.succeed(false),
        resumes: (agent) => Effect.succeed(agent === "claude"),
        hasSessions: (agent) => Effect.succeed(agent === "claude"),
        account: () => Effect.succeed(null),
        signals: () => Effect.succeed(null),
        heard: () => Effect.succeed([]),
        calls: () => Effect.succeed(null),
        verdict: () => Effect.dieMessage("nothing ends here")
      })
    ).pipe(Context.add(Prepared, Prepared.of({ requests: Ref.get(requests) })))
  })
)

export const paths = Paths.of({
  home: "/home/b",
  database: "/home/b/backbeat.db",
  spool: "/home/b/spool",
  workspaces: "/home/b/workspaces",
  trash: "/home/b/trash",
  logs: "/home/b/logs",
  config: "/home/b/config.json"
})

/** A machine without a worker. */
export const layer = (settings: WrittenSettings = {}) =>
  Layer.mergeAll(
    sharedSql,
    HookSender.layerTest,
    LimitReader.layer,
    WorkerLauncher.layer,
    Processes.layer,
    Host.layer,
    Git.layer,
    WorkspaceGit.layerTest,
    MergeGit.layerTest,
    SettingsStore.layer(settings),
    agents,
    Layer.succeed(Paths, paths)
  )

export const workerOf = (pid: number, fields: Partial<Worker> = {}): Worker =>
  workerWith({
    id: WorkerId.make(String(pid).padStart(16, "r")),
    process: { pid, startTime: "1", bootId: "boot-1" },
    ...fields
  })

export const submission = (overrides: Partial<Submission> = {}): Submission => ({
  prompt: "do it",
  agent: null,
  model: null,
  systemPrompt: null,
  priority: "P1",
  directory: "/tmp",
  timeoutMs: undefined,
  stallMs: undefined,
  maxOutputBytes: undefined,
  notBefore: null,
  idempotencyKey: null,
  labels: {},
  extra: {},
  retryOf: null,
  ...overrides
})

/** Ends a task: one that runs through its claim, one that waits without. */
export const finish = (id: TaskId, how: Outcome) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const registry = yield* WorkerRegistry
    const claim = Option.getOrNull(yield* registry.claimOf(id))
    yield* queue.finish(id, how, claim && { claimId: claim.claimId, workerId: claim.workerId })
  })

/** A person at a terminal. */
export const person: Submitter = { environment: { PATH: "/bin" }, taskId: null, depth: 0 }

/** Waiting options of a test that expects no trouble to be told. */
export const quietly = { justLaunched: false, onTrouble: () => Effect.void }
