/** What tests of real processes need: their own home, claims that run a script, and waits with a bound. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unstarted } from "../../../src/domain/task/Arrival.ts"
import type { Launch } from "../../../src/domain/task/NewTask.ts"
import { type Task, TaskId } from "../../../src/domain/task/Task.ts"
import { ClaimId } from "../../../src/domain/worker/Claim.ts"
import { WorkerId } from "../../../src/domain/worker/Worker.ts"
import * as Processes from "../../../src/layers/node/process/Processes.ts"
import { reader } from "../../../src/layers/node/process/ProcessReader.ts"
import * as Spawner from "../../../src/layers/node/spool/Spawner.ts"
import { Paths } from "../../../src/services/Paths.ts"
import { Processes as ProcessesTag } from "../../../src/services/Processes.ts"
import type { ClaimedTask } from "../../../src/services/Queue.ts"
import type { Target } from "../../../src/services/Spawner.ts"
import { Spawner as SpawnerTag } from "../../../src/services/Spawner.ts"
import { WorkerCommand } from "../../../src/services/WorkerCommand.ts"

/** A directory that goes when the scope does. */
export const home = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "backbeat-test-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
)

export const pathsIn = (directory: string): Paths["Type"] => ({
  home: directory,
  database: join(directory, "backbeat.db"),
  spool: join(directory, "spool"),
  workspaces: join(directory, "workspaces"),
  trash: join(directory, "trash"),
  logs: join(directory, "logs"),
  config: join(directory, "config.json")
})

/** A stand-in for `beat` that writes its arguments and its marks to `<home>/called`. */
export const fakeBeat = (directory: string): readonly [string, ...ReadonlyArray<string>] => [
  "/bin/sh",
  "-c",
  'printf "%s\\n" "$@" "home=$BACKBEAT_HOME" "task=$BACKBEAT_TASK_ID" "worker=$BACKBEAT_WORKER" >"$0.new"; mv "$0.new" "$0"',
  join(directory, "called")
]

export const layerIn = (directory: string) =>
  Spawner.layer.pipe(
    Layer.provideMerge(Processes.layer),
    Layer.provide(
      Layer.merge(
        Layer.succeed(Paths, pathsIn(directory)),
        Layer.succeed(WorkerCommand, { command: fakeBeat(directory) })
      )
    )
  )

let made = 0

/** A claim that was never stored: a task id, a claim id, and what to run. */
export const claimOf = (options: {
  readonly directory: string
  readonly launch: Partial<Launch> & Pick<Launch, "file" | "args">
  readonly prompt?: string
  readonly environment?: Record<string, string>
  readonly bootId: string
}): ClaimedTask => {
  made += 1
  const number = `${process.pid}${made}`.padStart(12, "0").slice(-12)
  const taskId = TaskId.make(number)
  const task: Task = {
    ...unstarted,
    id: taskId,
    seq: made,
    title: "test",
    status: "running",
    priority: "P1",
    agent: "shell",
    model: null,
    account: null,
    group: null,
    onLimit: "park",
    giveUpMs: 0,
    fallback: [],
    spare: false,
    workspaceId: null,
    directory: options.directory,
    timeoutMs: null,
    stallMs: null,
    maxOutputBytes: 1_000_000,
    notBefore: null,
    depth: 1,
    parentId: null,
    attempt: 1,
    retryOf: null,
    rootId: null,
    continuation: null,
    maxRetries: 0,
    backoffMs: 0,
    idempotencyKey: null,
    labels: {},
    createdAt: 0,
    startedAt: 0,
    sessionId: null,
    prompt: options.prompt ?? "",
    systemPrompt: null
  }
  return {
    task,
    resumeSession: null,
    traceparent: "00-6261636b62656174100000000000000a-100000000000000a-01",
    claim: {
      taskId,
      claimId: ClaimId.make(`claim${number.slice(-11)}`),
      workerId: WorkerId.make("worker0000000000"),
      state: "claimed",
      process: null,
      bootId: options.bootId,
      claimedAt: 0,
      runningAt: null,
      deadlineUptime: null,
      frozenUptime: null,
      boundUptime: null,
      stopCause: null,
      stopAt: null
    },
    launch: { promptAt: [], stdin: "none", ...options.launch },
    environment: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: options.directory, ...options.environment }
  }
}

export const targetOf = (claimed: ClaimedTask, more: Partial<Target> = {}): Target => ({
  taskId: claimed.task.id,
  claimId: claimed.claim.claimId,
  process: null,
  bootId: claimed.claim.bootId,
  spare: [],
  ...more
})

/** Asks again until the answer is there; after four minutes the test is wrong or the code is. */
export const until = <A, E, R>(what: string, ask: Effect.Effect<A | null | undefined | false, E, R>) =>
  Effect.gen(function* () {
    const deadline = performance.now() + 240_000
    while (performance.now() < deadline) {
      const answer = yield* ask
      if (answer !== null && answer !== undefined && answer !== false) return answer
      yield* Effect.sleep(5)
    }
    return yield* Effect.dieMessage(`waited in vain for ${what}`)
  })

export const fileWith = (path: string) =>
  until(
    path,
    Effect.sync(() =>
      fs.existsSync(path) && fs.readFileSync(path, "utf8").endsWith("\n") ? fs.readFileSync(path, "utf8") : null
    )
  )

/** The end of a claim's agent. */
export const ended = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const spawner = yield* SpawnerTag
    return yield* until(
      "the end",
      Effect.gen(function* () {
        const seen = yield* spawner.observe(targetOf(claimed))
        if (seen._tag === "Exited") return seen.end
        yield* spawner.pause(claimed.claim.claimId, 50)
        return null
      })
    )
  })

export const textOf = (claimed: ClaimedTask, stream: "stdout" | "stderr") =>
  Effect.gen(function* () {
    const spawner = yield* SpawnerTag
    return new TextDecoder().decode(yield* spawner.read(claimed.claim.claimId, stream, 0, 64 * 1024 * 1024))
  })

/** Whether a process with this pid lives; a zombie does not. */
export const lives = (pid: number) =>
  Effect.map(reader.entry(pid), (entry) => entry !== null && entry !== "unknown" && !entry.ended)

/** Ends a process that a test left on purpose. */
export const endLater = (pid: number) =>
  Effect.addFinalizer(() =>
    Effect.sync(() => {
      try {
        if (pid > 1) process.kill(pid, "SIGKILL")
      } catch {
        // Gone by itself.
      }
    })
  )

/** The path of a program, or null where it is not installed. */
export const programPath = (name: string): string | null => {
  try {
    return execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim()
  } catch {
    return null
  }
}

/** A claim's agent as a shell script. */
export const script = (text: string, ...args: ReadonlyArray<string>) => ({
  file: "/bin/sh",
  args: ["-c", text, "sh", ...args]
})

/** Runs a test on a spawner with its own home. */
export const withSpawner = <A, E, R>(
  body: (context: { readonly directory: string; readonly bootId: string }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const directory = yield* home
    return yield* Effect.gen(function* () {
      const processes = yield* ProcessesTag
      return yield* body({ directory, bootId: yield* processes.bootId })
    }).pipe(Effect.provide(layerIn(directory)))
  })

/** Starts a claim for this process. */
export const start = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const spawner = yield* SpawnerTag
    const processes = yield* ProcessesTag
    return yield* spawner.start(claimed, yield* processes.self)
  })

/** Pids that a script wrote to files of these names, each with a newline at its end. */
export const pidsIn = (directory: string, ...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const pids: Array<number> = []
    for (const name of names) {
      const pid = Number(yield* fileWith(join(directory, name)))
      yield* endLater(pid)
      pids.push(pid)
    }
    return pids
  })

/** Waits until none of these lives. */
export const gone = (...pids: ReadonlyArray<number>) =>
  until(
    "processes to be gone",
    Effect.map(Effect.forEach(pids, lives), (alive) => !alive.some(Boolean))
  )
