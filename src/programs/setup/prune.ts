/** Deletes tasks that ended long ago, a few at a time so that no other process waits long for the lock. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "../../domain/task/Task.ts"
import { DatabaseHealth } from "../../services/DatabaseHealth.ts"
import { Queue } from "../../services/Queue.ts"
import { Schedules } from "../../services/Schedules.ts"

export const PruneReport = Schema.Struct({
  dryRun: Schema.Boolean,
  endedBefore: Timestamp,
  /** Tasks deleted, or with `dryRun` those that would be. */
  count: Schema.Int,
  /** The first 1000 of them. */
  taskIds: Schema.Array(TaskId),
  /** Schedules that were over as long, deleted with their history. */
  schedules: Schema.Int,
  /** Bytes that the database file gave back to the disk. */
  bytesReturned: Schema.Int
}).annotations({ identifier: "PruneReport" })
export type PruneReport = typeof PruneReport.Type

const batch = 100
const shown = 1000
/** How far a dry run counts. */
const dryLimit = 100_000

const pruneSchedules = Effect.fn("prune.schedules")(function* (endedBefore: number, dryRun: boolean) {
  const schedules = yield* Schedules
  let count = 0
  let more = true
  while (more) {
    const limit = dryRun ? dryLimit : batch
    const gone = yield* schedules.prune({ endedBefore, limit, dryRun })
    count += gone.length
    more = !dryRun && gone.length === limit
  }
  return count
})

/** Rounds of giving back at most, 2 MB each. */
const mostRounds = 50_000

/** Gives what the deleted rows took back to the disk. Others write between two rounds. */
const reclaim = Effect.fnUntraced(function* () {
  const health = yield* DatabaseHealth
  let bytes = 0
  for (let round = 0; round < mostRounds; round += 1) {
    const given = yield* health.reclaim
    if (given === 0) break
    bytes += given
    yield* Effect.yieldNow()
  }
  return bytes
})

export const prune = Effect.fn("prune")(function* (options: {
  readonly olderThanMs: number
  readonly dryRun: boolean
  readonly onBatch?: (deleted: number) => Effect.Effect<void>
}) {
  const queue = yield* Queue
  const endedBefore = Math.max(0, (yield* Clock.currentTimeMillis) - options.olderThanMs)
  const ids: Array<TaskId> = []
  let count = 0
  let more = true
  while (more) {
    const limit = options.dryRun ? dryLimit : batch
    const gone = yield* queue.prune({ endedBefore, limit, dryRun: options.dryRun })
    count += gone.length
    ids.push(...gone.slice(0, Math.max(0, shown - ids.length)))
    more = !options.dryRun && gone.length === limit
    if (options.onBatch !== undefined) yield* options.onBatch(count)
    if (more) yield* Effect.yieldNow()
  }
  const schedules = yield* pruneSchedules(endedBefore, options.dryRun)
  const bytesReturned = options.dryRun ? 0 : yield* reclaim()
  const report: PruneReport = { dryRun: options.dryRun, endedBefore, count, taskIds: ids, schedules, bytesReturned }
  return report
})
