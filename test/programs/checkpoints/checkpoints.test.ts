/** Checkpoints of a pool over in-memory fakes: every end leaves one, once, whoever dies, and nobody has to hurry for it. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { WorkerId } from "../../../src/domain/worker/Worker.ts"
import { GitControl } from "../../../src/layers/memory/fakes/Git.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { takeCheckpoint } from "../../../src/programs/checkpoints/takeCheckpoint.ts"
import { Checkpoints } from "../../../src/services/Checkpoints.ts"
import { Git } from "../../../src/services/Git.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { bytesOf } from "../../support/output.ts"
import { claimNext, completed, workerWith } from "../../support/tasks.ts"
import { ended, eventually, nextStart, pool, sqlLayer, submit } from "../pooled.ts"

const stored = (id: TaskId) => Effect.flatMap(Checkpoints, (checkpoints) => checkpoints.get(id))

const checkpoint = (id: TaskId) =>
  Effect.gen(function* () {
    yield* eventually(`task ${id} leaves a checkpoint`, Effect.map(stored(id), Option.isSome))
    return yield* yield* stored(id)
  })

const main = (commit: string, dirty: ReadonlyArray<string> = []) => ({
  branch: "main",
  commit: commit.repeat(40),
  dirty,
  dirtyCount: dirty.length
})

/** A task that ended while nobody was there to take its checkpoint, as when a worker is killed right after the commit. */
const orphaned = Effect.gen(function* () {
  const id = yield* submit()
  const { claim } = yield* claimNext()
  yield* (yield* OutputStore).append(
    { taskId: id, stream: "stdout", offset: 0, bytes: bytesOf("left\n") },
    { cap: 100 }
  )
  yield* (yield* Queue).finish(id, completed, claim)
  return id
})

/** Git with some of its answers replaced. */
const withGit = (replaced: Partial<typeof Git.Service>) =>
  Layer.provideMerge(
    Layer.effect(
      Git,
      Effect.map(Git, (git) => Git.of({ ...git, ...replaced }))
    ),
    sqlLayer()
  )

describe("a task that ends", () => {
  it.scoped("leaves what it said and did, and where its repository stood before and after", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const git = yield* GitControl
      yield* git.set("/repo", main("1"))
      yield* pool()
      const id = yield* submit({ directory: "/repo" })
      const { claim } = yield* nextStart
      yield* eventually(
        "the commit at the start is on record",
        Effect.flatMap(Checkpoints, (checkpoints) => Effect.map(checkpoints.startOf(id), Option.isSome))
      )
      yield* git.set("/repo", main("2", ["?? new.txt"]))
      yield* control.print(claim.claimId, "stdout", "one\ntwo\n")
      yield* TestClock.adjust("3 seconds")
      yield* control.end(claim.claimId, { exitCode: 1, signal: null })
      yield* ended(id)
      const found = yield* checkpoint(id)
      assert.deepInclude(found, {
        taskId: id,
        status: "failed",
        cause: "exit",
        error: "exit 1",
        answer: "one\ntwo",
        tail: "one\ntwo",
        before: { branch: "main", commit: "1".repeat(40) },
        after: main("2", ["?? new.txt"]),
        diffStat: `${"1".repeat(40)}..${"2".repeat(40)}`
      })
      assert.isAtLeast(found.durationMs ?? 0, 3000)
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("leaves one whatever ended it", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const queue = yield* Queue
      yield* pool()
      const late = yield* submit({ timeoutMs: 1000 })
      yield* nextStart
      const silent = yield* submit({ stallMs: 1000 })
      yield* nextStart
      const unwanted = yield* submit()
      yield* nextStart
      yield* queue.cancel(unwanted, { reason: null, by: "ada" })
      const lost = yield* submit()
      yield* control.lose((yield* nextStart).claim.claimId)
      const causes = yield* Effect.forEach([late, silent, unwanted, lost], checkpoint)
      assert.deepStrictEqual(
        causes.map(({ cause }) => cause),
        ["timeout", "stalled", "cancelled", "owner-lost"]
      )
    }).pipe(Effect.provide(sqlLayer({ maxConcurrency: 8 })))
  )

  it.scoped("leaves none where it never started", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* pool()
      const later = yield* submit({ notBefore: 3_600_000 })
      yield* queue.cancel(later, { reason: null, by: "ada" })
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(Option.isNone(yield* stored(later)))
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("has ended when its checkpoint is taken: a git that takes its time delays neither start nor end", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const { claim } = yield* nextStart
      yield* control.end(claim.claimId, { exitCode: 0, signal: null })
      const task = yield* ended(id)
      assert.isAtMost((task.endedAt ?? 0) - (task.startedAt ?? 0), 1000)
      assert.isTrue(Option.isNone(yield* stored(id)))
      assert.strictEqual((yield* checkpoint(id)).after, null)
    }).pipe(Effect.provide(withGit({ state: () => Effect.as(Effect.sleep("8 seconds"), null) })))
  )

  it.scoped("is not kept by a git that never answers at its start from starting", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      yield* submit()
      yield* nextStart
      assert.strictEqual(yield* control.starts, 1)
    }).pipe(Effect.provide(withGit({ head: () => Effect.never })))
  )
})

describe("checkpoints that are missing", () => {
  it.scoped("are taken by the next worker, and how far it got is on record", () =>
    Effect.gen(function* () {
      const checkpoints = yield* Checkpoints
      const [first, second] = [yield* orphaned, yield* orphaned]
      yield* pool()
      assert.strictEqual((yield* checkpoint(first)).tail, "left")
      assert.strictEqual((yield* checkpoint(second)).tail, "left")
      yield* eventually(
        "the place is on record",
        Effect.map(checkpoints.reached, (seq) => seq === 2)
      )
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("are left for ten seconds to the worker that ended the task", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      yield* registry.register(workerWith({ id: WorkerId.make("bbbbbbbbbbbbbbbb"), process: Processes.self }))
      yield* pool()
      yield* TestClock.adjust("1 second")
      const id = yield* orphaned
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(Option.isNone(yield* stored(id)))
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(Option.isSome(yield* stored(id)))
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("do not wait behind one that cannot be taken", () =>
    Effect.gen(function* () {
      const [broken, whole] = [yield* orphaned, yield* orphaned]
      yield* pool()
      yield* checkpoint(whole)
      assert.isTrue(Option.isNone(yield* stored(broken)))
      const checkpoints = yield* Checkpoints
      yield* eventually(
        "it is passed over",
        Effect.map(checkpoints.reached, (seq) => seq === 2)
      )
    }).pipe(
      Effect.provide(
        Layer.unwrapEffect(
          Effect.map(Ref.make(true), (first) =>
            withGit({
              state: () =>
                Effect.flatMap(Ref.getAndSet(first, false), (broken) =>
                  broken ? Effect.dieMessage("a surprise") : Effect.succeed(null)
                )
            })
          )
        )
      )
    )
  )

  it.scoped("keep a worker that would leave until they are taken", () =>
    Effect.gen(function* () {
      const id = yield* orphaned
      const leaving = yield* pool({ kind: "on-demand", leaveWhenIdle: true })
      yield* eventually("it leaves", Effect.map(Fiber.poll(leaving), Option.isSome))
      assert.isTrue(Option.isSome(yield* stored(id)))
    }).pipe(Effect.provide(withGit({ state: () => Effect.as(Effect.sleep("20 seconds"), null) })))
  )
})

describe("an idle worker", () => {
  it.scoped("asks for no checkpoints", () =>
    Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      const checkpoints = yield* Checkpoints
      const counting = Checkpoints.of({
        ...checkpoints,
        missing: (...given) =>
          Effect.zipRight(
            Ref.update(asked, (n) => n + 1),
            checkpoints.missing(...given)
          ),
        advance: (...given) =>
          Effect.zipRight(
            Ref.update(asked, (n) => n + 1),
            checkpoints.advance(...given)
          )
      })
      yield* Effect.provideService(pool(), Checkpoints, counting)
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* Ref.get(asked), 0)
      const id = yield* orphaned
      yield* eventually("it is taken", Effect.map(stored(id), Option.isSome))
      yield* TestClock.adjust("1 second")
      const once = yield* Ref.get(asked)
      assert.isAtMost(once, 3)
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual(yield* Ref.get(asked), once)
      assert.strictEqual(yield* (yield* GitControl).asked, 1)
    }).pipe(Effect.provide(sqlLayer()))
  )
})

describe("two takers", () => {
  it.scoped("leave the checkpoint of the first", () =>
    Effect.gen(function* () {
      const git = yield* GitControl
      const gate = yield* Deferred.make<void>()
      const id = yield* orphaned
      const real = yield* Git
      const slow = Git.of({
        ...real,
        state: (directory) => Effect.zipLeft(real.state(directory), Deferred.await(gate))
      })
      yield* git.set("/tmp", main("1"))
      const late = yield* Effect.fork(Effect.provideService(takeCheckpoint(id), Git, slow))
      yield* Effect.yieldNow()
      yield* git.set("/tmp", main("2"))
      const first = yield* takeCheckpoint(id)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(late), first)
      assert.strictEqual(first.after?.commit, "2".repeat(40))
    }).pipe(Effect.provide(sqlLayer()))
  )
})
