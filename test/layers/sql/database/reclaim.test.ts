/** What pruned tasks took in the file is given back to the disk, a little at a time. */
import { statSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import * as DatabaseHealthOnFile from "../../../../src/layers/sql/database/DatabaseHealth.ts"
import { prune } from "../../../../src/programs/setup/prune.ts"
import { DatabaseHealth } from "../../../../src/services/DatabaseHealth.ts"
import { OutputStore } from "../../../../src/services/OutputStore.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { newTask } from "../../../support/tasks.ts"
import { claimOptions, pathsIn, services, temporaryHome, workerA } from "../support.ts"

const megabyte = 1_000_000

/** A task that has ended, with so much output. */
const ended = Effect.fnUntraced(function* (size: number) {
  const queue = yield* Queue
  const output = yield* OutputStore
  yield* queue.enqueue([newTask()], { maxDepth: 3 })
  const { task, claim } = yield* Effect.flatten(queue.claim(claimOptions))
  for (let offset = 0; offset < size; offset += megabyte) {
    const bytes = new Uint8Array(megabyte).fill(120)
    yield* output.append({ taskId: task.id, stream: "stdout", offset, bytes }, { cap: 10 * size })
  }
  const done = outcome({ status: "completed", cause: "exit" })
  yield* queue.finish(task.id, done, { claimId: claim.claimId, workerId: workerA })
})

const all = { olderThanMs: -60_000, dryRun: false }

describe("prune", () => {
  it.scopedLive("makes the file smaller by what it says, and a dry run or nothing to delete does not", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { database } = pathsIn(home)
      yield* Effect.gen(function* () {
        const health = yield* DatabaseHealth
        yield* Effect.forEach([20, 1, 9], (size) => ended(size * megabyte), { discard: true })
        assert.strictEqual((yield* prune({ ...all, dryRun: true })).bytesReturned, 0)
        const report = yield* prune(all)
        assert.strictEqual(report.count, 3)
        assert.isAbove(report.bytesReturned, 29 * megabyte)
        assert.isBelow(statSync(database).size, megabyte)
        assert.isBelow(statSync(`${database}-wal`).size, megabyte)
        assert.strictEqual((yield* prune(all)).bytesReturned, 0)
        assert.deepInclude(yield* health.check, { damage: [], danglingRows: 0 })
      }).pipe(Effect.provide(DatabaseHealthOnFile.layer.pipe(Layer.provideMerge(services(home)))))
    })
  )

  it.scopedLive("gives back at most 2 MB in one transaction, and the rest in the next ones", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* Effect.gen(function* () {
        const queue = yield* Queue
        const health = yield* DatabaseHealth
        yield* Effect.forEach([5, 5, 5], (size) => ended(size * megabyte), { discard: true })
        const request = { endedBefore: Number.MAX_SAFE_INTEGER, dryRun: false, limit: 100 }
        assert.strictEqual((yield* queue.prune(request)).length, 3)
        const given: Array<number> = []
        do given.push(yield* health.reclaim)
        while (given.at(-1) !== 0)
        assert.isAbove(given.length, 7)
        assert.isBelow(Math.max(...given), 2.1 * megabyte)
        assert.isAbove(
          given.reduce((sum, bytes) => sum + bytes, 0),
          14 * megabyte
        )
      }).pipe(Effect.provide(DatabaseHealthOnFile.layer.pipe(Layer.provideMerge(services(home)))))
    })
  )
})
