/** What a supervisor does with agents, spools and clocks that misbehave. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { SpawnFailed } from "../../../src/domain/Errors.ts"
import type { WrittenSettings } from "../../../src/domain/settings/Settings.ts"
import type { Evidence } from "../../../src/domain/task/Agent.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Spawner } from "../../../src/services/Spawner.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { ended, nextStart, pool, submit, testLayer } from "../pooled.ts"

/** The fakes, with some methods of the spawner replaced. */
const withSpawner = (
  replaced: (spawner: typeof Spawner.Service) => Effect.Effect<Partial<typeof Spawner.Service>>,
  settings: WrittenSettings = {}
) => {
  const changed = Layer.effect(
    Spawner,
    Effect.flatMap(Spawner, (spawner) => Effect.map(replaced(spawner), (some) => Spawner.of({ ...spawner, ...some })))
  )
  return Layer.provideMerge(changed, testLayer(settings))
}

/** Prints without end, and always faster than it is read, for as long as it lives. */
const flood = (spawner: typeof Spawner.Service) =>
  Effect.succeed<Partial<typeof Spawner.Service>>({
    read: (claimId, stream, offset, limit) =>
      Effect.gen(function* () {
        const seen = yield* spawner.observe({ taskId: nobody, claimId, process: null, bootId: "boot-1", spare: [] })
        if (stream === "stderr" || seen._tag !== "Running") return yield* spawner.read(claimId, stream, offset, limit)
        yield* Effect.sleep("10 millis")
        return new Uint8Array(limit).fill(121)
      }),
    printed: () => Effect.succeed(1e12)
  })

const nobody = TaskId.make("000000000000")

/** A cap that nothing is dropped by, so that all of it has to be read. */
const everything = 10 ** 13

describe("an agent that prints faster than its output is stored", () => {
  it.scoped("is ended by a cancel", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* pool()
      const id = yield* submit({ maxOutputBytes: everything })
      yield* nextStart
      yield* queue.cancel(id, { reason: null, by: "ada" })
      assert.strictEqual((yield* ended(id)).status, "cancelled")
    }).pipe(Effect.provide(withSpawner(flood, { maxSpoolBytes: 10 ** 12 })))
  )

  it.scoped("is ended by what is in the spool, not by what was stored of it", () =>
    Effect.gen(function* () {
      yield* pool()
      const id = yield* submit({ maxOutputBytes: everything })
      yield* nextStart
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause], ["failed", "output-limit"])
      assert.isBelow(task.bytesStored + task.bytesDropped, 10 ** 9)
    }).pipe(Effect.provide(withSpawner(flood, { maxSpoolBytes: 10 ** 11 })))
  )
})

describe("a spool that cannot be read", () => {
  it.scoped("costs no byte when it comes back, also at the very end", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const tasks = yield* Tasks
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.print(claimed.claim.claimId, "stdout", "all of it")
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* tasks.summary(id)).status, "running")
      assert.strictEqual((yield* ended(id)).answer, "all of it")
    }).pipe(
      Effect.provide(
        withSpawner((spawner) =>
          Effect.map(Ref.make(0), (failures) => ({
            read: (...request) =>
              Effect.flatMap(
                Ref.updateAndGet(failures, (count) => count + 1),
                (count) =>
                  count < 10
                    ? Effect.fail(new SpawnFailed({ reason: "spool", subject: "/spool", detail: "EMFILE" }))
                    : spawner.read(...request)
              )
          }))
        )
      )
    )
  )

  it.scoped("does not keep a task for ever", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      assert.strictEqual((yield* ended(id)).exitCode, 0)
    }).pipe(
      Effect.provide(
        withSpawner(() =>
          Effect.succeed({
            read: () => Effect.fail(new SpawnFailed({ reason: "spool", subject: "/spool", detail: "EACCES" }))
          })
        )
      )
    )
  )
})

describe("a start that fails for a reason that passes", () => {
  for (const error of [
    new SpawnFailed({ reason: "spool", subject: "/spool", detail: "ENOSPC" }),
    new SpawnFailed({ reason: "system", subject: "/bin/sh", detail: "EAGAIN" })
  ]) {
    it.scoped(`is tried again later: ${error.reason} ${error.detail}`, () =>
      Effect.gen(function* () {
        const control = yield* SpawnerControl
        yield* control.failNext(error)
        const id = yield* submit()
        yield* pool()
        const claimed = yield* nextStart
        assert.isAtLeast(claimed.claim.claimedAt, 5000)
        yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
        assert.strictEqual((yield* ended(id)).status, "completed")
        assert.strictEqual(yield* control.starts, 1)
      }).pipe(Effect.provide(testLayer()))
    )
  }

  it.scoped("does not keep a cancelled task waiting", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const queue = yield* Queue
      yield* control.failNext(new SpawnFailed({ reason: "spool", subject: "/spool", detail: "ENOSPC" }))
      const id = yield* submit()
      yield* pool()
      yield* TestClock.adjust("1 second")
      yield* queue.cancel(id, { reason: null, by: "ada" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* (yield* Tasks).summary(id)).status, "cancelled")
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("an agent whose output cannot be judged", () => {
  it.scoped("has failed, and is over", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const claimed = yield* nextStart
      yield* control.end(claimed.claim.claimId, { exitCode: 0, signal: null })
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.cause, task.exitCode], ["failed", "agent-error", 0])
    }).pipe(
      Effect.provide(
        Layer.merge(
          testLayer(),
          Layer.mock(Agents, {
            verdict: () => Effect.dieMessage("a surprise in the stream"),
            hasSessions: () => Effect.succeed(false),
            signals: () => Effect.succeed(null)
          })
        )
      )
    )
  )
})

/** The test's clock, ahead of itself by what `jump` adds: as after a lid was closed, time has passed and nobody ran. */
const jumpingClock = Effect.map(Effect.clock, (clock) => {
  let ahead = 0
  const jumping: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + ahead,
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos() + BigInt(ahead) * 1_000_000n,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + ahead),
    currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(ahead) * 1_000_000n),
    sleep: (duration) => clock.sleep(duration)
  }
  const jump = (millis: number) =>
    Effect.sync(() => {
      ahead += millis
    })
  return { jumping, jump }
})

describe("an end that is read late", () => {
  for (const [title, written, expected] of [
    ["counts from when the status was written", (end: number) => end, (end: number) => end],
    ["counts from now where that is not known", () => null, (_end: number, now: number) => now],
    ["counts from now where the date is before the claim", () => -1, (_end: number, now: number) => now],
    ["counts from now where the date is to come", (end: number) => end + 1e12, (_end: number, now: number) => now]
  ] as const) {
    it.scoped(title, () => {
      const read: Array<number> = []
      const verdict = (_agent: string, { endedAt }: Evidence) => {
        read.push(endedAt)
        return Effect.dieMessage("only the time counts")
      }
      const agents = Layer.mock(Agents, {
        verdict,
        hasSessions: () => Effect.succeed(false),
        signals: () => Effect.succeed(null)
      })
      const late = withSpawner((spawner) =>
        Effect.succeed({
          observe: (target) =>
            Effect.map(spawner.observe(target), (seen) =>
              seen._tag === "Exited" && seen.endedAt !== null ? { ...seen, endedAt: written(seen.endedAt) } : seen
            )
        })
      )
      return Effect.gen(function* () {
        const control = yield* SpawnerControl
        yield* TestClock.adjust("1 hour")
        const first = yield* pool()
        const id = yield* submit()
        const { claim } = yield* nextStart
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust("10 minutes")
        yield* control.end(claim.claimId, { exitCode: 1, signal: null })
        const end = yield* Clock.currentTimeMillis
        yield* TestClock.adjust("10 minutes")
        yield* pool()
        const task = yield* ended(id)
        const [endedAt = 0] = read
        const wanted = expected(end, task.endedAt ?? 0)
        // What is read "now" is read within the looks of the worker that takes over.
        assert.isTrue(endedAt === wanted || (wanted !== end && endedAt >= end + 600_000 && endedAt <= wanted))
      }).pipe(Effect.provide(Layer.merge(late, agents)))
    })
  }
})

describe("time", () => {
  it.scoped("that passes while the machine sleeps is not silence of the agent", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const { jump, jumping } = yield* jumpingClock
      yield* Effect.withClock(pool(), jumping)
      const id = yield* submit({ stallMs: 30_000 })
      yield* nextStart
      yield* TestClock.adjust("1 second")
      yield* jump(3_600_000)
      yield* TestClock.adjust("10 seconds")
      yield* jump(-7_200_000)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* tasks.summary(id)).status, "running")
      assert.strictEqual((yield* ended(id)).cause, "stalled")
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("a stop that was cut short", () => {
  it.scoped("is completed by who takes over, even where leftovers are kept", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const registry = yield* WorkerRegistry
      const first = yield* pool()
      const id = yield* submit()
      const { claim } = yield* nextStart
      yield* control.fork(claim.claimId)
      yield* Fiber.interrupt(first)
      // The worker had recorded the cause and sent the first signals; the agent obeyed, what it started did not.
      yield* registry.stopping({ claimId: claim.claimId, workerId: claim.workerId }, "cancelled")
      yield* control.end(claim.claimId, { exitCode: 143, signal: "SIGTERM" })
      yield* pool()
      const task = yield* ended(id)
      assert.deepStrictEqual([task.status, task.leftovers], ["cancelled", 1])
    }).pipe(Effect.provide(testLayer({ leftovers: "keep" })))
  )
})
