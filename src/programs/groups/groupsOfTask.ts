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

/** Rounds and candidates work in workspaces; what waits for a loop is a command of the shell. */
export const groupsOfTask = Effect.fn("groupsOfTask")(function* ({
  agent,
  id,
  pipelineId,
  workspaceId
}: Pick<TaskSummary, "agent" | "id" | "pipelineId" | "workspaceId">) {
  const loops = yield* Loops
  const place = workspaceId === null ? Option.none() : yield* (yield* Workspaces).ofTask(id)
  const round = workspaceId === null ? Option.none() : yield* loops.roundOf(id)
  const awaited = agent === "shell" && Option.isNone(round) ? yield* loops.ofStep(id) : Option.none()
  const groups: GroupsOfTask = {
    pipelineId,
    loopId: Option.getOrNull(
      Option.orElse(
        Option.map(round, ({ loop }) => loop.id),
        () => Option.map(awaited, (loop) => loop.id)
      )
    ),
    contestId: Option.getOrNull(Option.map(place, ({ contestId }) => contestId))
  }
  return groups
})
