/** Workers that die with -9 at the worst moments, machines that restart, pids that come back. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { afterAll, assert, describe, it } from "vitest"
import type { ProcessIdentity } from "../../src/domain/worker/Process.ts"
import { WorkerId } from "../../src/domain/worker/Worker.ts"
import * as ProcessesNode from "../../src/layers/node/process/Processes.ts"
import { Processes } from "../../src/services/Processes.ts"
import { Queue } from "../../src/services/Queue.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { workerWith } from "../support/tasks.ts"
import { Beat, children, isAlive, kill, until } from "./Beat.ts"
import { shellTask, withStore } from "./Store.ts"

const workerId = Schema.decodeSync(WorkerId)("0123456789abcdef")
/** The place of this process, which is that of every `beat` it starts. */
const here = () =>
  Effect.runSync(
    Effect.provide(
      Effect.flatMap(Processes, (processes) => processes.bootId),
      ProcessesNode.layer
    )
  )

/** A shell command that prints a line each tenth of a second, as often as told. */
const chatter = (lines: number, exitCode = 0) =>
  `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done; exit ${exitCode}`

const expected = (lines: number) => Array.from({ length: lines }, (_, index) => `line ${index + 1}\n`).join("")

/** Enqueues a task and claims it for a worker that is not there (any more). */
const claimFor = (beat: Beat, owner: ProcessIdentity, command: string) =>
  withStore(
    beat,
    Effect.gen(function* () {
      const queue = yield* Queue
      const registry = yield* WorkerRegistry
      yield* registry.register(workerWith({ id: workerId, process: owner }))
      yield* queue.enqueue([shellTask(beat, command)], { maxDepth: 3 })
      const claimed = yield* queue.claim({
        workerId,
        maxConcurrency: 8,
        onlyWhenIdle: false,
        bootId: owner.bootId,
        uptimeMs: 0,
        sinceBootMs: 0,
        uid: null
      })
      if (claimed._tag === "None") return yield* Effect.dieMessage("nothing to claim")
      return claimed.value
    })
  )

describe.skipIf(process.platform !== "linux")("kill -9 of the worker", () => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "4" })
  afterAll(() => beat.close())

  it("leaves agents running; another worker takes over with every byte and the right exit code", async () => {
    const ids = await Promise.all([0, 7, 3].map((code) => beat.submit(chatter(60, code))))
    await until("all print", () => ids.every((id) => beat.output(id).length > 0))
    const shims = ids.map((id) => beat.shim(id) ?? 0)
    const [worker = 0] = beat.workers()
    assert.isTrue(kill(worker, "SIGKILL"))
    await until("the worker is gone", () => !isAlive(worker))
    assert.isTrue(shims.every(isAlive))

    const waited = await beat.run(["wait", "--timeout", "280s", ...ids])
    assert.strictEqual(waited.code, 1, waited.stderr)
    assert.deepStrictEqual(
      ids.map((id) => beat.status(id)),
      [
        { status: "completed", cause: "exit", exit_code: 0 },
        { status: "failed", cause: "exit", exit_code: 7 },
        { status: "failed", cause: "exit", exit_code: 3 }
      ]
    )
    for (const id of ids) assert.strictEqual(beat.output(id).toString(), expected(60))
  })

  it("needs no command: the shim starts a worker when its agent ends", async () => {
    const id = await beat.submit(chatter(10))
    await until("it prints", () => beat.output(id).length > 0)
    for (const worker of beat.workers()) kill(worker, "SIGKILL")
    await until("it is collected", () => beat.status(id).status === "completed")
    assert.strictEqual(beat.output(id).toString(), expected(10))
  })
})

describe.skipIf(process.platform !== "linux")("a crash between claim and start", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("puts the task back and runs it exactly once", async () => {
    const starts = join(beat.home, "starts")
    // Init never has this start time, and pid 2 and up that do not live here are dead in the same way.
    const owner = { pid: 4_194_000, startTime: "1", bootId: here() }
    const claimed = await claimFor(beat, owner, `echo x >> ${starts}`)
    const waited = await beat.run(["wait", "--timeout", "280s", claimed.task.id])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.strictEqual(readFileSync(starts, "utf8"), "x\n")
  })
})

describe.skipIf(process.platform !== "linux")("a pid that came back", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("is not taken for the worker that had it", async () => {
    // This test's own process lives; the worker that had its pid started at another time.
    const owner = { pid: process.pid, startTime: "1", bootId: here() }
    const claimed = await claimFor(beat, owner, "echo ran")
    const waited = await beat.run(["wait", "--timeout", "280s", claimed.task.id])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.strictEqual(beat.output(claimed.task.id).toString(), "ran\n")
  })
})

describe.skipIf(process.platform !== "linux")("a restart of the machine", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("fails what was running, keeps its output, and says so", async () => {
    const id = await beat.submit(`echo before; exec tail -f /dev/null`)
    await until("it prints", () => beat.output(id).length > 0)
    const shim = beat.shim(id) ?? 0
    for (const worker of beat.workers()) kill(worker, "SIGKILL")
    const agents = children(shim)
    for (const pid of [shim, ...agents]) kill(pid, "SIGKILL")
    const waited = await beat.run(["wait", "--timeout", "280s", id], { env: { BACKBEAT_BOOT_ID: "another-boot" } })
    assert.strictEqual(waited.code, 1, waited.stderr)
    assert.deepStrictEqual(beat.status(id), { status: "failed", cause: "owner-lost", exit_code: null })
    assert.strictEqual(beat.output(id).toString(), "before\n")
    const shown = await beat.run(["status", id])
    assert.include(shown.stdout, "restarted")
  })
})

describe.skipIf(process.platform !== "linux")("kill -9 of the shim", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("lets the agent finish, keeps its bytes, and does not call the end a success", async () => {
    const marker = join(beat.home, "finished")
    const id = await beat.submit(`${chatter(8)}; touch ${marker}`.replace("exit 0;", ""))
    await until("it prints", () => beat.output(id).length > 0)
    kill(beat.shim(id) ?? 0, "SIGKILL")
    const waited = await beat.run(["wait", "--timeout", "280s", id])
    assert.strictEqual(waited.code, 1, waited.stderr)
    assert.strictEqual(beat.status(id).cause, "owner-lost")
    assert.isTrue(existsSync(marker))
    assert.strictEqual(beat.output(id).toString(), expected(8))
  })
})

describe.skipIf(process.platform !== "linux")("an agent killed by a signal", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("is failed, with the signal on record", async () => {
    const id = await beat.submit("echo alive; exec tail -f /dev/null")
    await until("it prints", () => beat.output(id).length > 0)
    const [agent = 0] = children(beat.shim(id) ?? 0)
    kill(agent, "SIGKILL")
    const waited = await beat.run(["wait", "--timeout", "280s", id])
    assert.strictEqual(waited.code, 1)
    const [row] = beat.rows<{ status: string; cause: string; signal: string; exit_code: number }>(
      "SELECT status, cause, signal, exit_code FROM tasks WHERE id = ?",
      id
    )
    assert.deepStrictEqual(row, { status: "failed", cause: "signal", signal: "SIGKILL", exit_code: 137 })
  })
})
