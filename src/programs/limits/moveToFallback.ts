/** Gives queued tasks whose agent waits long for a limit to the next agent that they name. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { passes } from "../../domain/Errors.ts"
import type { AccountKey } from "../../domain/limits/Account.ts"
import type { AccountLimits } from "../../domain/limits/AccountLimits.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { type LanePlace, Limits } from "../../services/Limits.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { startOf } from "../tasks/edit.ts"

/** A limit that ends within this time is waited for. */
const fallbackAfterMs = 30 * 60_000

/** Tasks at one look: each is prepared again. The next look continues behind them, so that those that stay keep no other back. */
export const mostMoved = 20

const vendorOf = (key: AccountKey): string => key.slice(0, key.indexOf("/"))

/** Another account of the same vendor is not a fallback: it would evade its limit. */
const takes = (own: AccountKey | null, other: AccountKey | null, all: ReadonlyArray<AccountLimits>): boolean =>
  other === null ||
  (own !== null &&
    vendorOf(other) !== vendorOf(own) &&
    all.every(({ account, opensAt }) => account !== other || opensAt === null))

const move = Effect.fn("moveToFallback.one")(function* (id: TaskId, all: ReadonlyArray<AccountLimits>) {
  const queue = yield* Queue
  const tasks = yield* Tasks
  // The revision first: an edit between the two reads is then seen as one.
  const { revision } = yield* queue.captured(id)
  const task = yield* tasks.get(id)
  if (task.status !== "queued") return
  for (const [at, agent] of task.fallback.entries()) {
    const change = yield* Effect.option(startOf(task, { agent }))
    if (change._tag === "None" || !takes(task.account, change.value.account?.key ?? null, all)) continue
    // Those before it are closed or missing now, and are asked no more.
    yield* queue.edit(id, { ...change.value, fallback: task.fallback.slice(at + 1) }, revision)
    yield* Effect.logInfo(`task ${id}: given to ${agent}, since a limit keeps ${task.agent}`)
    return
  }
})

/**
 * Looks at the tasks in turn. One that another process changes, claims or forgets meanwhile is left to it, and one that cannot be read
 * is passed over.
 */
export const makeMoveToFallback = () => {
  let after: LanePlace | null = null
  return Effect.fn("moveToFallback")(function* () {
    const limits = yield* Limits
    const now = yield* Clock.currentTimeMillis
    const waiting = yield* limits.waitingBeyond(now + fallbackAfterMs, mostMoved, after)
    // After the last task, the next look begins with the first one again.
    if (waiting.length < mostMoved) after = null
    if (waiting.length === 0) return
    const all = yield* limits.list
    for (const { id, lane, seq } of waiting) {
      // Stored before the move, so that a task that fails does not hold up the next look.
      if (waiting.length === mostMoved) after = { lane, seq }
      yield* move(id, all).pipe(
        Effect.catchTags({
          TaskStateConflict: () => Effect.void,
          TaskNotFound: () => Effect.void,
          DependencyInvalid: () => Effect.void,
          StorageError: (error) =>
            passes(error)
              ? Effect.fail(error)
              : Effect.logWarning(`task ${id} cannot be given to its fallback: ${error.message}`)
        })
      )
    }
  })
}
