/** Tasks of another container or host: a worker ends none whose processes it cannot see, and a task that was left needs one here. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { ProcessIdentity } from "../../../src/domain/worker/Process.ts"
import { unseenMs, type Worker, WorkerId } from "../../../src/domain/worker/Worker.ts"
import { LivingProcesses, self, uid } from "../../../src/layers/memory/fakes/Processes.ts"
import { neglected } from "../../../src/programs/serving/Neglect.ts"
import { hasWorker, seenWorkers } from "../../../src/programs/serving/Seen.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { claimOptions, workerWith } from "../../support/tasks.ts"
import { pool, submit, testLayer } from "../pooled.ts"

const away = "other/boot/4026532178"
const gone = WorkerId.make("gonegonegonegone")

/** A task that a worker of this place has claimed, which then took itself off the list. */
const leftIn = (bootId: string) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const id = yield* submit()
    yield* queue.claim(claimOptions({ workerId: gone, bootId, uid }))
    return id
  })

const ownerOf = (id: Effect.Effect.Success<ReturnType<typeof leftIn>>) =>
  Effect.map(
    Effect.flatMap(WorkerRegistry, (registry) => registry.claimOf(id)),
    (claim) => Option.getOrNull(Option.map(claim, ({ workerId }) => workerId))
  )

describe("a claim whose worker has left", () => {
  it.scoped("is taken over immediately where its processes can be seen", () =>
    Effect.gen(function* () {
      const id = yield* leftIn(self.bootId)
      yield* pool()
      yield* TestClock.adjust("10 seconds")
      assert.notStrictEqual(yield* ownerOf(id), gone)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("is left for minutes to those who can see its processes", () =>
    Effect.gen(function* () {
      const id = yield* leftIn(away)
      yield* pool()
      for (let minute = 0; minute < 4; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* ownerOf(id), gone)
      }
      yield* TestClock.adjust("2 minutes")
      assert.notStrictEqual(yield* ownerOf(id), gone)
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("a queue that a worker of another place serves", () => {
  const elsewhere: Worker = {
    id: WorkerId.make("elsewhereworker1"),
    kind: "worker",
    process: { pid: 7, startTime: "1", bootId: away },
    version: "0.0.0",
    schema: 1,
    uid,
    file: null,
    startedAt: 0,
    seenAt: 0
  }

  it.effect("needs no worker here, unless a task was left here", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      yield* registry.register({ ...elsewhere, schema: (yield* registry.schema).known })
      assert.isTrue(yield* hasWorker())
      yield* leftIn(away)
      assert.isTrue(yield* hasWorker())
      yield* leftIn(self.bootId)
      assert.isFalse(yield* hasWorker())
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("a database that was copied while a worker lived", () => {
  it.effect("is not served by that worker, which keeps what it runs", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const id = yield* leftIn(self.bootId)
      const copied = (file: string | null, process: ProcessIdentity) =>
        Effect.gen(function* () {
          yield* registry.register(workerWith({ id: gone, process, file }))
          const [seen] = yield* seenWorkers()
          const reason = (yield* neglected([id])).get(id)?.reason ?? null
          return [seen?.serving, yield* hasWorker(), reason] as const
        })
      assert.deepStrictEqual(yield* copied(null, self), ["serves", true, null])
      assert.deepStrictEqual(yield* copied("1:2", self), ["other-file", false, "worker-copied"])
      // What is dead may be taken over, and of another host the numbers mean nothing.
      const dead = { ...self, startTime: "0" }
      assert.deepStrictEqual(yield* copied("1:2", dead), ["dead", false, "worker-lost"])
      yield* TestClock.setTime(unseenMs * 2)
      assert.deepStrictEqual(yield* copied("1:2", { ...self, bootId: away }), ["unseen", false, "worker-unseen"])
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("loses a claim here once the processes of it are gone, and not before", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      yield* registry.register(workerWith({ id: gone, process: self, file: "1:2" }))
      const started = (process: ProcessIdentity) =>
        Effect.gen(function* () {
          const id = yield* leftIn(self.bootId)
          const claim = Option.getOrThrow(yield* registry.claimOf(id))
          yield* registry.started({ claimId: claim.claimId, workerId: gone }, process)
          return id
        })
      const over = yield* started({ ...self, startTime: "0" })
      const lives = yield* started(self)
      const unstarted = yield* leftIn(self.bootId)
      yield* pool()
      yield* TestClock.adjust("10 seconds")
      assert.notStrictEqual(yield* ownerOf(over), gone)
      assert.strictEqual(yield* ownerOf(lives), gone)
      assert.strictEqual(yield* ownerOf(unstarted), gone)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped(
    "keeps its living agents when it dies itself, until they end: their output is in the spool of the original",
    () =>
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const living = yield* LivingProcesses
        yield* registry.register(workerWith({ id: gone, process: { ...self, startTime: "0" }, file: "1:2" }))
        const agent = { ...self, pid: 5151 }
        yield* living.add(agent)
        const id = yield* leftIn(self.bootId)
        const claim = Option.getOrThrow(yield* registry.claimOf(id))
        yield* registry.started({ claimId: claim.claimId, workerId: gone }, agent)
        yield* pool()
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* ownerOf(id), gone)
        yield* living.end(agent)
        yield* TestClock.adjust("40 seconds")
        assert.notStrictEqual(yield* ownerOf(id), gone)
      }).pipe(Effect.provide(testLayer()))
  )
})
