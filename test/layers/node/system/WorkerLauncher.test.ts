/** Starting a detached worker: what it is told, where it stands and where its words go. */
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import {
  agentEnvironment,
  successorCommand,
  workerEnvironment
} from "../../../../src/layers/node/system/WorkerEnvironment.ts"
import * as WorkerLauncherNode from "../../../../src/layers/node/system/WorkerLauncher.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { WorkerCommand } from "../../../../src/services/WorkerCommand.ts"
import { WorkerLauncher } from "../../../../src/services/WorkerLauncher.ts"
import { fileWith, home, pathsIn } from "../support.ts"

const launchIn = (directory: string, command: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.flatMap(WorkerLauncher, (launcher) => launcher.launch).pipe(
    Effect.provide(
      WorkerLauncherNode.layer.pipe(
        Layer.provide(Layer.merge(Layer.succeed(Paths, pathsIn(directory)), Layer.succeed(WorkerCommand, { command })))
      )
    )
  )

describe("WorkerLauncher", () => {
  it.scopedLive("starts a worker in its own session, with its words in a private log", () =>
    Effect.gen(function* () {
      const directory = join(yield* home, "new")
      const report =
        'echo "to the log"; ps -o sid= -p $$ >said.new; printf "%s\\n" $$ "$PWD" "$@" >>said.new; mv said.new said'
      yield* launchIn(directory, ["/bin/sh", "-c", report, "beat"])
      const [session, pid, where, ...args] = (yield* fileWith(join(directory, "said"))).trim().split("\n")
      assert.strictEqual(session?.trim(), pid)
      assert.strictEqual(where, fs.realpathSync(directory))
      assert.deepStrictEqual(args, ["worker", "--on-demand"])
      const log = join(directory, "logs", "worker.log")
      assert.strictEqual(fs.readFileSync(log, "utf8"), "to the log\n")
      assert.strictEqual(fs.statSync(log).mode & 0o777, 0o600)
    })
  )

  it.scopedLive("puts a long log aside", () =>
    Effect.gen(function* () {
      const directory = yield* home
      const log = join(directory, "logs", "worker.log")
      fs.mkdirSync(join(directory, "logs"))
      fs.writeFileSync(log, "x".repeat(5 * 1024 * 1024 + 1))
      yield* launchIn(directory, ["/bin/sh", "-c", "echo short; echo >said"])
      yield* fileWith(join(directory, "said"))
      assert.strictEqual(fs.readFileSync(log, "utf8"), "short\n")
      assert.strictEqual(fs.statSync(`${log}.1`).size, 5 * 1024 * 1024 + 1)
    })
  )

  it.scopedLive("says when it cannot", () =>
    Effect.gen(function* () {
      const directory = yield* home
      const missing = yield* Effect.flip(launchIn(directory, ["/nowhere/beat"]))
      assert.strictEqual(missing.detail, "ENOENT")
      assert.strictEqual(missing.log, join(directory, "logs", "worker.log"))
      fs.rmSync(join(directory, "logs"), { recursive: true })
      fs.writeFileSync(join(directory, "logs"), "in the way")
      const blocked = yield* Effect.flip(launchIn(directory, ["/bin/true"]))
      assert.strictEqual(blocked.detail, "EEXIST")
    })
  )
})

describe("environments", () => {
  const own = {
    HOME: "/h",
    PATH: "/bin",
    CLAUDECODE: "1",
    CLAUDE_CODE_ENTRYPOINT: "cli",
    BACKBEAT_TASK_ID: "outer",
    BACKBEAT_DEPTH: "2",
    BACKBEAT_HOME: "/store",
    BACKBEAT_API_KEY: "secret",
    ANTHROPIC_API_KEY: "secret"
  }

  it("a worker drops the marks of a surrounding task", () => {
    assert.deepStrictEqual(workerEnvironment(own), {
      HOME: "/h",
      PATH: "/bin",
      BACKBEAT_HOME: "/store",
      BACKBEAT_API_KEY: "secret",
      ANTHROPIC_API_KEY: "secret",
      BACKBEAT_WORKER: "1"
    })
  })

  it("a shim's call for a worker names the store and shows no key", () => {
    assert.deepStrictEqual(successorCommand(own, ["node", "beat"]), [
      "env",
      "-i",
      "BACKBEAT_WORKER=1",
      "HOME=/h",
      "PATH=/bin",
      "BACKBEAT_HOME=/store",
      "node",
      "beat",
      "worker",
      "--on-demand",
      "--detach"
    ])
  })

  it("an agent is marked with its task and never as a worker", () => {
    const id = TaskId.make("k3v9x2m7q4ab")
    const captured = { A: "1", BACKBEAT_WORKER: "1", BACKBEAT_TASK_ID: "outer" }
    const environment: Record<string, string> = agentEnvironment(
      captured,
      { id, depth: 3, directory: "/some place" },
      "00-a"
    )
    assert.deepStrictEqual(environment, {
      A: "1",
      PWD: "/some place",
      BACKBEAT_TASK_ID: id,
      BACKBEAT_DEPTH: "3",
      TRACEPARENT: "00-a"
    })
  })
})
