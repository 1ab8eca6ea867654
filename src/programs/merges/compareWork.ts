/** Finds the two commits that a diff of work is about, and a repository that has both. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ContestId } from "../../domain/contest/Contest.ts"
import type { Loop } from "../../domain/loop/Loop.ts"
import { MergeRefused } from "../../domain/merge/MergeErrors.ts"
import { isTerminal, type PipelineId, type TaskId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import { MergeGit } from "../../services/MergeGit.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { nothingLeft } from "./nothingLeft.ts"

const keptTask = Effect.fn("keptTask")(function* (id: ContestId) {
  const { candidates, status, winner } = yield* (yield* Contests).get(id)
  const kept = candidates.find(({ number }) => number === winner)
  if (kept !== undefined) return kept.workTask
  const reason =
    status === "running"
      ? `Contest ${id} is not decided yet. Wait for it: beat wait ${id}`
      : `Contest ${id} has kept no candidate. Name the task of one: beat status ${id}`
  return yield* new MergeRefused({ reason })
})

/** Its result has the work of all steps that share the workspace. */
const lastStep = Effect.fn("lastStep")(function* (id: PipelineId) {
  const workspaces = yield* Workspaces
  const { status, steps } = yield* (yield* Pipelines).get(id)
  if (!isTerminal(status)) {
    return yield* new MergeRefused({ reason: `Pipeline ${id} is ${status}. Wait for its end: beat wait ${id}` })
  }
  // The order in which their ends were stored: a clock that was set back does not change it.
  const ends = yield* (yield* Tasks).endsOf(steps.map(({ task }) => task.id))
  for (const { id: step, status: end } of ends.toReversed()) {
    const place = yield* workspaces.ofTask(step)
    if (Option.isNone(place) || place.value.workspace.baseKind === "step") continue
    const result = yield* workspaces.result(step)
    if (Option.isSome(result)) return step
    // What the steps before it left is not the work of the pipeline.
    if (end === "completed") {
      return yield* new MergeRefused({
        reason: `The work of step ${step} of pipeline ${id} could not be sealed: its files are in ${place.value.workspace.path}. To take what a step before it left, name the task of that step.`
      })
    }
  }
  return yield* new MergeRefused({ reason: `Pipeline ${id} left nothing in a workspace: beat pipeline status ${id}` })
})

const bestOf = ({ bestRound, id, rounds }: Loop) => {
  const best = rounds.find(({ round }) => round === bestRound)
  return best === undefined
    ? new MergeRefused({ reason: `Loop ${id} has kept no round yet: beat loop status ${id}` })
    : Effect.succeed(best.workTask)
}

/**
 * The task that a reference means. A loop means the task of its best round, a contest that of the candidate that is kept, and a
 * pipeline the step that worked last in the workspace of the pipeline.
 */
export const workTask = Effect.fn("workTask")(function* (reference: string) {
  const tasks = yield* Tasks
  const loops = yield* Loops
  const contests = yield* Contests
  const pipelines = yield* Pipelines
  const task = yield* Effect.either(tasks.resolve(reference))
  if (task._tag === "Right") {
    // A step that waits for its loop has no workspace: the work is in the loop.
    const loop = yield* loops.ofStep(task.right)
    const isPlaced = Option.isSome(loop) && (yield* tasks.summary(task.right)).workspaceId !== null
    return Option.isNone(loop) || isPlaced ? task.right : yield* bestOf(loop.value)
  }
  const contest = yield* Effect.option(contests.resolve(reference))
  if (Option.isSome(contest)) return yield* keptTask(contest.value)
  const pipeline = yield* Effect.option(pipelines.resolve(reference))
  if (Option.isSome(pipeline)) return yield* lastStep(pipeline.value)
  const loop = yield* Effect.either(loops.resolve(reference))
  if (loop._tag === "Left") return yield* task.left
  return yield* bestOf(yield* loops.get(loop.right))
})

const resultOf = Effect.fn("compareWork.result")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const workspaces = yield* Workspaces
  const result = yield* workspaces.result(id)
  const place = yield* workspaces.ofTask(id)
  if (Option.isSome(result) && Option.isSome(place)) return { result: result.value, workspace: place.value.workspace }
  const task = yield* tasks.summary(id)
  const reason =
    task.workspaceId === null
      ? `Task ${id} is not isolated: its changes are in ${task.directory}. To isolate one: beat run --isolate`
      : isTerminal(task.status)
        ? nothingLeft(id, Option.isSome(place) ? place.value.workspace : null)
        : `Task ${id} is ${task.status}. Wait for its end: beat wait ${id}, or look into beat workspace path ${id}`
  return yield* new MergeRefused({ reason })
})

export const compareWork = Effect.fn("compareWork")(function* (reference: string, other: Option.Option<string>) {
  const git = yield* MergeGit
  const id = yield* workTask(reference)
  const { result, workspace } = yield* resultOf(id)
  const second = Option.isNone(other) ? null : yield* resultOf(yield* workTask(other.value))
  const [from, to] = second === null ? [result.base, result.commit] : [result.commit, second.result.commit]
  // A result that could not be brought home is in its workspace.
  for (const repository of [workspace.home, workspace.path]) {
    if ((yield* git.has(repository, from)) && (yield* git.has(repository, to))) {
      return { taskId: id, against: second?.result.taskId ?? null, from, to, repository }
    }
  }
  return yield* new MergeRefused({
    reason: `No repository has both commits: neither ${workspace.home} nor ${workspace.path} has ${from.slice(0, 12)} and ${to.slice(0, 12)}.`
  })
})
