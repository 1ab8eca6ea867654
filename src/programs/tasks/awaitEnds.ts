/** Waits for the ends of tasks, pipelines, loops and contests since a cursor: a caller that passes the cursor back misses no end and sees none twice. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { GroupId } from "../../domain/GroupId.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TaskEnded } from "../../domain/task/TerminalEvent.ts"
import { EndWatch } from "../../services/EndWatch.ts"
import { Tasks } from "../../services/Tasks.ts"
import { groupEnds } from "../groups/groupEnds.ts"
import { latestEnds } from "../groups/latestEnds.ts"
import type { Named } from "../groups/resolveAll.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

/** The most ends in one answer; the next call returns the others. */
const endsPerAnswer = 20

/** A loop that is paused has ended no task: no end wakes the wait for it. */
const groupLookMs = 2000

export const onlyTasks = (taskIds: ReadonlyArray<TaskId>): Named => ({
  taskIds,
  pipelineIds: [],
  loopIds: [],
  contestIds: []
})

const hasGroups = ({ contestIds, loopIds, pipelineIds }: Named): boolean =>
  contestIds.length + loopIds.length + pipelineIds.length > 0

interface AwaitOptions extends Pick<EnsureWorkerOptions, "onTrouble"> {
  /** The `seq` of the last end that was seen; 0 is none. */
  readonly cursor: number
  /** Return when every task has ended, not with the first end. */
  readonly all: boolean
  readonly timeoutMs: number
  /** Ends the wait early with what it has, as if the time were over. */
  readonly enough: Effect.Effect<void>
  /** End the wait early also when each task that has not ended asks a person, or waits for a limit that ends after the time is over. */
  readonly untilHeld: boolean
}

interface Ends {
  /** After the cursor, in the order in which they happened. After automatic retries, the end of the latest attempt. */
  readonly ended: ReadonlyArray<TaskEnded>
  /** Pipelines, loops and contests that ended after the cursor. */
  readonly endedGroups: ReadonlyArray<GroupId>
  /** Tasks that have not ended. */
  readonly pending: ReadonlyArray<TaskId>
  readonly pendingGroups: ReadonlyArray<GroupId>
  /** Those of them that a person has paused. */
  readonly paused: ReadonlyArray<GroupId>
  readonly cursor: number
  /** More tasks have ended than one answer holds. */
  readonly more: boolean
  /** The time was over before what was waited for had happened. */
  readonly timedOut: boolean
  /** Pending tasks which ended the wait early: each asks a person or waits for a limit. Empty where something else ended it. */
  readonly held: ReadonlyArray<TaskId>
}

/**
 * The first ends after the cursor. A task and its group may share a number: the next call could not tell which of the two it has
 * yet to report, so both are in one answer.
 */
const firstOf = <A extends { readonly seq: number }>(fresh: ReadonlyArray<A>): ReadonlyArray<A> => {
  const last = fresh[endsPerAnswer - 1]
  return last === undefined ? fresh : fresh.filter(({ seq }) => seq <= last.seq)
}

/** The present state: what has ended by one moment, so that an end is either before the new cursor or after it. */
const look = Effect.fn("awaitEnds.look")(function* (named: Named, options: AwaitOptions) {
  // Groups and tasks are several reads: what ends between them counts as pending until the next look.
  const moment = hasGroups(named) ? yield* retryWhileBusy((yield* Tasks).lastEvent) : Number.POSITIVE_INFINITY
  const groups = yield* groupEnds(named)
  const { ends, pending } = yield* latestEnds(named.taskIds)
  const isOver = (seq: number | null): seq is number => seq !== null && seq <= moment
  const late = ends.filter(({ seq }) => !isOver(seq)).map(({ id }) => id)
  const over = groups.flatMap(({ id, seq }) => (isOver(seq) ? [{ group: id, seq }] : []))
  const open = groups.filter(({ seq }) => !isOver(seq))
  const all = [...ends.filter(({ seq }) => isOver(seq)).map((task) => ({ task, seq: task.seq })), ...over].sort(
    (left, right) => left.seq - right.seq
  )
  // A group that ended without an end of a task has no number: it is new where no cursor was given.
  const fresh = all.filter(({ seq }) => seq > options.cursor || (seq === 0 && options.cursor === 0))
  const told = firstOf(fresh)
  const left = pending.length + late.length + open.length
  const reached = left === 0 || (!options.all && fresh.length > 0)
  // With nothing new and nothing to wait for, an empty answer would not say how the groups ended.
  const shown = left === 0 && fresh.length === 0 ? over : told
  const last = told.at(-1)?.seq ?? 0
  const found: Ends = {
    ended: told.flatMap((one) => ("task" in one ? [one.task] : [])),
    endedGroups: shown.flatMap((one) => ("group" in one ? [one.group] : [])),
    pending: [...pending, ...late],
    pendingGroups: open.map(({ id }) => id),
    paused: open.flatMap(({ id, paused }) => (paused ? [id] : [])),
    cursor: last > 0 ? last : options.cursor,
    more: fresh.length > told.length,
    timedOut: !reached,
    held: []
  }
  return found
})

/** Whether only a person lets what is pending continue. */
const isStuck = ({ paused, pending, pendingGroups }: Ends): boolean =>
  pending.length === 0 && pendingGroups.length > 0 && paused.length === pendingGroups.length

/** Every id has to exist. */
export const awaitEnds = Effect.fn("awaitEnds")(function* (named: Named, options: AwaitOptions) {
  const { lastEvent } = yield* Tasks
  const grouped = hasGroups(named)
  // The number is read before the rows: an end between the two is then seen as a new one, never missed.
  const lastEnd = grouped ? retryWhileBusy(lastEvent) : Effect.succeed(null)
  let seen = yield* lastEnd
  let now = yield* look(named, options)
  if (!now.timedOut || isStuck(now) || options.timeoutMs <= 0) return now

  const heldUntil = options.untilHeld && !grouped ? (yield* Clock.currentTimeMillis) + options.timeoutMs : null
  const next = yield* (yield* EndWatch).watch(options.onTrouble)
  const again = grouped ? Effect.as(Effect.sleep(groupLookMs), { held: [] }) : Effect.never
  const rounds = Effect.gen(function* () {
    while (true) {
      const interest = { ids: now.pending, all: options.all, heldUntil, endsAfter: seen }
      const { held } = yield* Effect.raceFirst(next(interest), again)
      seen = yield* lastEnd
      now = yield* look(named, options)
      if (!now.timedOut || isStuck(now)) return now
      if (held.length > 0) return { ...now, held: held.filter((id) => now.pending.includes(id)) }
    }
  })
  return yield* rounds.pipe(
    Effect.raceFirst(Effect.zipRight(Effect.sleep(options.timeoutMs), look(named, options))),
    // Hundreds of waits end with the client: what ended since the last look is after the cursor, so the next wait has it.
    Effect.raceFirst(Effect.map(options.enough, () => now))
  )
}, Effect.scoped)
