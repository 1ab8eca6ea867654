/** The pool over in-memory fakes: what it does when agents, workers and machines behave as the test decides. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { ConfigInvalid, SpawnFailed } from "../../../src/domain/Errors.ts"
import { ClaimId } from "../../../src/domain/worker/Claim.ts"
import { WorkerId } from "../../../src/domain/worker/Worker.ts"
import * as Host from "../../../src/layers/memory/fakes/Host.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { SettingsStore } from "../../../src/services/SettingsStore.ts"
import { Spawner } from "../../../src/services/Spawner.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { TerminalEvents } from "../../../src/services/TerminalEvents.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { workerWith } from "../../support/tasks.ts"
import { ended, eventually, nextStart, pool, submit, testLayer } from "../pooled.ts"

describe("pool", () => {
  it.scoped("runs a task, stores what it prints, and announces its end once", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const registry = yield* WorkerRegistry
      const heard = yield* (yield* TerminalEvents).subscribe
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.print(claimed.claim.claimId, "stdout", "hello\n")
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      const task = yield* ended(id)
      assert.deepStrictEqual(
        [task.status, task.cause, task.exitCode, task.answer, task.bytesStored],
        ["completed", "exit", 0, "hello", 6]
      )
      assert.deepStrictEqual(yield* registry.claims, [])
      const event = yield* Stream.runHead(heard)
      assert.strictEqual(event._tag === "Some" ? event.value.id : null, id)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("starts what there is room for, by priority", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* submit({ priority: "P2", prompt: "late" })
      yield* submit({ priority: "P1", prompt: "middle" })
      yield* submit({ priority: "P0", prompt: "first" })
      yield* pool()
      const first = yield* nextStart
      const second = yield* nextStart
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* control.starts, 2)
      assert.deepStrictEqual([first.task.prompt, second.task.prompt], ["first", "middle"])
      yield* control.end(first.claim.claimId, { exitCode: 0, signal: null })
      assert.strictEqual((yield* nextStart).task.prompt, "late")
    }).pipe(Effect.provide(testLayer({ maxConcurrency: 2 })))
  )

  it.scoped("admits one task however little memory there is, and no second", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* (yield* Host.HostControl).setAvailableMemory(1)
      yield* submit()
      yield* submit()
      yield* pool()
      yield* nextStart
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* control.starts, 1)
      yield* (yield* Host.HostControl).setAvailableMemory(8 * 1024 ** 3)
      yield* nextStart
    }).pipe(Effect.provide(testLayer({ maxConcurrency: 4 })))
  )

  it.scoped("ends a running task that a person cancels, with who and why", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* pool()
      const id = yield* submit()
      yield* nextStart
      assert.strictEqual(yield* queue.cancel(id, { reason: "changed my mind", by: "ada" }), "requested")
      const task = yield* ended(id)
      assert.deepStrictEqual(
        [task.status, task.cause, task.cancelReason, task.cancelledBy],
        ["cancelled", "cancelled", "changed my mind", "ada"]
      )
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("enforces the timeout even on an agent that ignores TERM", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit({ timeoutMs: 3000 })
      const claimed = yield* nextStart
      yield* control.obey(claimed.claim.claimId, "kill")
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause, task.signal], ["failed", "timeout", "SIGKILL"])
      assert.isAtLeast((task.endedAt ?? 0) - (task.startedAt ?? 0), 3000)
    }).pipe(Effect.provide(testLayer({ graceMs: 1000 })))
  )

  it.scoped("ends a task that is silent and idle, but not one that works in silence", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const tasks = yield* Tasks
      yield* pool()
      const id = yield* submit({ stallMs: 2000 })
      const claimed = yield* nextStart
      for (let second = 0; second < 5; second++) {
        yield* control.useCpu(claimed.claim.claimId, 500)
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual((yield* tasks.summary(id)).status, "running")
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause], ["failed", "stalled"])
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("ends a task that prints more than the spool may hold", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.print(claimed.claim.claimId, "stdout", "x".repeat(5000))
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause], ["failed", "output-limit"])
    }).pipe(Effect.provide(testLayer({ maxSpoolBytes: 4096 })))
  )

  it.scoped("fails a task that cannot be started, says why, and continues with the next", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* control.failNext(new SpawnFailed({ reason: "directory-missing", subject: "/gone", detail: "ENOENT" }))
      const bad = yield* submit({ priority: "P0" })
      const good = yield* submit()
      yield* pool()
      const task = yield* ended(bad)
      assert.deepStrictEqual([task.status, task.cause], ["failed", "spawn-failed"])
      assert.include(task.error ?? "", "/gone")
      assert.strictEqual((yield* nextStart).task.id, good)
    }).pipe(Effect.provide(testLayer({ maxConcurrency: 1 })))
  )

  it.scoped("fails a task whose shim was killed, once nothing of it lives any more", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.lose(claimed.claim.claimId)
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause, task.exitCode], ["failed", "owner-lost", null])
      assert.notInclude(task.error ?? "", "beat resume")
      assert.include(task.error ?? "", `beat retry ${id}`)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("advises to resume a lost task where the agent keeps a session", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit({ agent: "claude", sessionId: "session-1" })
      yield* control.lose((yield* nextStart).claim.claimId)
      assert.include((yield* ended(id)).error ?? "", `beat resume ${id}`)
      const other = yield* submit({ agent: "mine", sessionId: "session-2" })
      yield* control.lose((yield* nextStart).claim.claimId)
      assert.notInclude((yield* ended(other)).error ?? "", "beat resume")
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("counts and ends what an agent left running", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.fork(claimed.claim.claimId)
      yield* control.fork(claimed.claim.claimId)
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      assert.strictEqual((yield* ended(id)).leftovers, 2)
    }).pipe(Effect.provide(testLayer()))
  )
})

/** A worker that dies right after it claimed: its row stays, its process does not live. */
const dead = Schema.decodeSync(WorkerId)("0123456789abcdef")

const claimAsDead = Effect.gen(function* () {
  const queue = yield* Queue
  const registry = yield* WorkerRegistry
  yield* registry.register(workerWith({ id: dead, process: { pid: 999, startTime: "1", bootId: "boot-1" } }))
  const claimed = yield* queue.claim({
    workerId: dead,
    maxConcurrency: 8,
    onlyWhenIdle: false,
    bootId: "boot-1",
    uptimeMs: 1_000_000,
    sinceBootMs: 1_000_000,
    uid: null
  })
  if (claimed._tag === "None") return yield* Effect.dieMessage("nothing to claim")
  return claimed.value
})

describe("pool after the death of another worker", () => {
  it.scoped("puts a task back that was claimed and never started, and runs it once", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const registry = yield* WorkerRegistry
      const id = yield* submit()
      const lost = yield* claimAsDead
      yield* pool()
      const claimed = yield* nextStart
      assert.notStrictEqual(claimed.claim.claimId, lost.claim.claimId)
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      assert.strictEqual((yield* ended(id)).status, "completed")
      assert.strictEqual(yield* control.starts, 1)
      assert.isFalse((yield* registry.workers).some((worker) => worker.id === dead))
      // The worker was only slow, and tries now: its start comes too late.
      const owner = { pid: 999, startTime: "1", bootId: "boot-1" }
      assert.strictEqual((yield* Effect.flip((yield* Spawner).start(lost, owner))).reason, "system")
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("carries on with a running agent at the byte where capture stopped", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const tasks = yield* Tasks
      const first = yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.print(claimed.claim.claimId, "stdout", "before, ")
      yield* eventually(
        "the first part is stored",
        Effect.map(tasks.summary(id), (task) => task.bytesStored === 8)
      )
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* tasks.summary(id)).status, "running")
      yield* control.print(claimed.claim.claimId, "stdout", "between, ")
      yield* pool()
      yield* control.print(claimed.claim.claimId, "stdout", "after")
      yield* TestClock.adjust("2 seconds")
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.answer], ["completed", "before, between, after"])
      assert.strictEqual(yield* control.starts, 1)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("finishes what ended while no worker ran", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const first = yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* Fiber.interrupt(first)
      yield* control.print(claimed.claim.claimId, "stdout", "while nobody looked\n")
      yield* control.end(claimed.claim.claimId, { exitCode: 3, signal: null })
      yield* pool()
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.exitCode, task.answer], ["failed", 3, "while nobody looked"])
      assert.strictEqual(yield* control.starts, 1)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("ends a task at its deadline although the worker that started it is gone", () =>
    Effect.gen(function* () {
      const first = yield* pool()
      const id = yield* submit({ timeoutMs: 4000 })
      yield* nextStart
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      yield* pool()
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause], ["failed", "timeout"])
      assert.isBelow((task.endedAt ?? 0) - (task.startedAt ?? 0), 6000)
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("pool beside a worker that has just come", () => {
  const newcomer = { pid: 555, startTime: "1", bootId: "boot-1" }

  /** Registers a living worker and claims for it right after the list of workers was read for the first time. */
  const meanwhile = Layer.effect(
    WorkerRegistry,
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const queue = yield* Queue
      const living = yield* Processes.LivingProcesses
      const arrive = yield* Effect.once(
        Effect.gen(function* () {
          yield* living.add(newcomer)
          yield* registry.register(workerWith({ id: dead, process: newcomer }))
          yield* queue.claim({
            workerId: dead,
            maxConcurrency: 8,
            onlyWhenIdle: false,
            bootId: "boot-1",
            uptimeMs: 1_000_000,
            sinceBootMs: 1_000_000,
            uid: null
          })
        })
      )
      return WorkerRegistry.of({ ...registry, workers: Effect.tap(registry.workers, arrive) })
    })
  )

  it.scoped("leaves its task to it", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const id = yield* submit()
      // The pool's first look is at what others left.
      yield* TestClock.adjust("1 minute")
      yield* pool()
      yield* TestClock.adjust("3 seconds")
      const claim = yield* registry.claimOf(id)
      assert.strictEqual(claim._tag === "Some" ? claim.value.workerId : null, dead)
    }).pipe(Effect.provide(Layer.provideMerge(meanwhile, testLayer())))
  )
})

describe("a config file that breaks while a pool runs", () => {
  const broken = Layer.effect(
    SettingsStore,
    Effect.gen(function* () {
      const store = yield* SettingsStore
      const reads = yield* Ref.make(0)
      return SettingsStore.of({
        ...store,
        get: Effect.flatMap(
          Ref.updateAndGet(reads, (count) => count + 1),
          (count) =>
            count === 1 ? store.get : Effect.fail(new ConfigInvalid({ path: "/config.json", problem: "is no JSON" }))
        )
      })
    })
  )

  it.scoped("leaves the settings as they were, and is reported once", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const told = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Warning") Effect.runSync(Ref.update(told, (lines) => [...lines, String(message)]))
      })
      yield* pool().pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* TestClock.adjust("10 seconds")
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      assert.strictEqual((yield* ended(id)).status, "completed")
      assert.deepStrictEqual(yield* Ref.get(told), ["settings unchanged: /config.json: is no JSON"])
    }).pipe(Effect.provide(Layer.provideMerge(broken, testLayer())))
  )
})

describe("spools", () => {
  it.scoped("of claims that are over are removed, those of running ones stay", () =>
    Effect.gen(function* () {
      const spawner = yield* Spawner
      const first = yield* pool()
      yield* submit()
      const { claim } = yield* nextStart
      yield* Fiber.interrupt(first)
      const over = ClaimId.make("0000000000000000")
      yield* spawner.revoke(over)
      assert.deepStrictEqual((yield* spawner.spools).toSorted(), [over, claim.claimId].toSorted())
      yield* pool()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* spawner.spools, [claim.claimId])
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("pool that may leave", () => {
  it.scoped("leaves when nothing is queued, running or scheduled, and not before", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const registry = yield* WorkerRegistry
      const id = yield* submit({ notBefore: 4000 })
      const running = yield* pool({ leaveWhenIdle: true, kind: "on-demand" })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* registry.workers).length, 1)
      const claimed = yield* nextStart
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* registry.workers).length, 1)
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      yield* ended(id)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(running)
      assert.deepStrictEqual(yield* registry.workers, [])
    }).pipe(Effect.provide(testLayer({ idleMs: 1000 })))
  )

  it.scoped("leaves immediately when an older worker serves the queue", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const living = yield* Processes.LivingProcesses
      const older = { pid: 777, startTime: "1", bootId: "boot-1" }
      yield* living.add(older)
      yield* registry.register(workerWith({ id: dead, process: older }))
      yield* TestClock.adjust("1 second")
      const done = yield* Deferred.make<void>()
      const running = yield* pool({ leaveWhenIdle: true, kind: "on-demand" })
      yield* Fiber.join(running).pipe(Effect.zipRight(Deferred.succeed(done, undefined)), Effect.fork)
      yield* eventually("it leaves", Deferred.isDone(done))
      assert.deepStrictEqual(
        (yield* registry.workers).map((worker) => worker.id),
        [dead]
      )
    }).pipe(Effect.provide(testLayer({ idleMs: 60_000 })))
  )
})
