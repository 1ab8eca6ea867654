/** The pipeline, the loop and the contest that a task belongs to, which are waited for and cancelled by their own ids. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId } from "../../domain/contest/Contest.ts"
import { LoopId } from "../../domain/loop/LoopId.ts"
import { PipelineId, type TaskSummary } from "../../domain/task/Task.ts"
import { Loops } from "../../services/Loops.ts"
import { Workspaces } from "../../services/Workspaces.ts"

export const GroupsOfTask = Schema.Struct({
  /** The pipeline that it is a step of; null where it is none. */
  pipelineId: Schema.NullOr(PipelineId),
  /** The loop that it belongs to a round of, or waits for; null where there is none. */
  loopId: Schema.NullOr(LoopId),
  /** The contest whose candidate it is, or which it evaluates; null where it is in none. */
  contestId: Schema.NullOr(ContestId)
})
export type GroupsOfTask = typeof GroupsOfTask.Type

type Of = Pick<TaskSummary, "agent" | "id" | "pipelineId" | "workspaceId">

/** Rounds work in workspaces; what waits for a loop is a command of the shell. */
export const loopOfTask = Effect.fn("loopOfTask")(function* ({ agent, id, workspaceId }: Of) {
  const loops = yield* Loops
  const round = workspaceId === null ? Option.none() : yield* loops.roundOf(id)
  if (Option.isSome(round)) return round.value.loop.id
  const awaited = agent === "shell" ? yield* loops.ofStep(id) : Option.none()
  return Option.getOrNull(Option.map(awaited, (loop) => loop.id))
})

export const groupsOfTask = Effect.fn("groupsOfTask")(function* (task: Of) {
  const place = task.workspaceId === null ? Option.none() : yield* (yield* Workspaces).ofTask(task.id)
  const groups: GroupsOfTask = {
    pipelineId: task.pipelineId,
    loopId: yield* loopOfTask(task),
    contestId: Option.getOrNull(Option.map(place, ({ contestId }) => contestId))
  }
  return groups
})
