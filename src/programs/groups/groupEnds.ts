/** Which pipelines, loops and contests have ended, and when among the ends of all tasks. */
import * as Effect from "effect/Effect"
import type { ContestId } from "../../domain/contest/Contest.ts"
import type { GroupId } from "../../domain/GroupId.ts"
import { isOpen } from "../../domain/loop/Loop.ts"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import { isTerminal, type PipelineId, type TaskId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { latestEnds } from "./latestEnds.ts"
import type { Named } from "./resolveAll.ts"

export interface GroupEnd {
  readonly id: GroupId
  /** The `seq` of the last of its ends of tasks up to its own end; null while it is open. */
  readonly seq: number | null
  /** It is open, and only a person lets it continue. */
  readonly paused: boolean
}

/** The outbox has the ends of tasks: the transaction that stores the last one also ends the group. */
const seqOf = Effect.fn("groupEnds.seq")(function* (ids: ReadonlyArray<TaskId>, endedAt: number | null) {
  const { ends } = yield* latestEnds(ids)
  const own = ends.filter(({ at }) => endedAt === null || at <= endedAt)
  return own.at(-1)?.seq ?? 0
})

const pipelineEnd = Effect.fn("groupEnds.pipeline")(function* (id: PipelineId) {
  const { endedAt, status, steps } = yield* retryWhileBusy((yield* Pipelines).get(id))
  const over = isTerminal(status)
  const ids = steps.map(({ task }) => task.id)
  const end: GroupEnd = { id, seq: over ? yield* seqOf(ids, endedAt) : null, paused: false }
  return end
})

const loopEnd = Effect.fn("groupEnds.loop")(function* (id: LoopId) {
  const { endedAt, rounds, status } = yield* retryWhileBusy((yield* Loops).get(id))
  const last = rounds.slice(-1).flatMap(({ evaluationTasks, workTasks }) => [...workTasks, ...evaluationTasks])
  const end: GroupEnd = {
    id,
    seq: isOpen(status) ? null : yield* seqOf(last, endedAt),
    paused: status === "paused"
  }
  return end
})

const contestEnd = Effect.fn("groupEnds.contest")(function* (id: ContestId) {
  const contests = yield* Contests
  const { endedAt, status } = yield* retryWhileBusy(contests.get(id))
  if (status === "running") return { id, seq: null, paused: false }
  const entrants = yield* retryWhileBusy(contests.entrants(id))
  const ids = entrants.map(({ taskId }) => taskId)
  const end: GroupEnd = { id, seq: yield* seqOf(ids, endedAt), paused: false }
  return end
})

export const groupEnds = Effect.fn("groupEnds")(function* ({
  contestIds,
  loopIds,
  pipelineIds
}: Omit<Named, "taskIds">) {
  const pipelines = yield* Effect.forEach(pipelineIds, pipelineEnd)
  const loops = yield* Effect.forEach(loopIds, loopEnd)
  const contests = yield* Effect.forEach(contestIds, contestEnd)
  return [...pipelines, ...loops, ...contests]
})
