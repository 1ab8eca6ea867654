/** Cancels tasks, pipelines, loops and contests, and returns when their processes are gone. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { cancelContest, requireOwnContest } from "../contests/waitForContest.ts"
import { requireOwnLoop } from "../loops/LoopChanges.ts"
import { cancelLoop } from "../loops/waitForLoop.ts"
import { cancelPipeline, requireOwnPipeline } from "../pipelines/waitForPipeline.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { type CancelOptions, cancel } from "../tasks/cancel.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import type { Named } from "./resolveAll.ts"

/** Groups that are cancelled side by side: each waits for its own processes. */
const atATime = 10

/** The tasks that groups have started up to now. What these delegated is below them. */
const membersOf = Effect.fn("cancelAll.members")(function* ({ contestIds, loopIds, pipelineIds }: Named) {
  const contests = yield* Contests
  const loops = yield* Loops
  const pipelines = yield* Pipelines
  const members = new Set<TaskId>()
  for (const id of pipelineIds) {
    for (const { task } of (yield* retryWhileBusy(pipelines.get(id))).steps) members.add(task.id)
  }
  for (const id of loopIds) {
    for (const { evaluationTasks, workTasks } of (yield* retryWhileBusy(loops.get(id))).rounds) {
      for (const task of [...workTasks, ...evaluationTasks]) members.add(task)
    }
  }
  for (const id of contestIds) {
    for (const { taskId } of yield* retryWhileBusy(contests.entrants(id))) members.add(taskId)
  }
  return members
})

/** All of them, before the first is touched. */
export const requireOwnAll = Effect.fn("requireOwnAll")(function* (named: Named, submitter: Submitter, step: string) {
  const pipelines = yield* Pipelines
  const contests = yield* Contests
  yield* requireOwn(submitter, named.taskIds, step)
  for (const id of named.pipelineIds) yield* requireOwnPipeline(yield* pipelines.get(id), submitter, step)
  for (const id of named.loopIds) yield* requireOwnLoop(id, submitter, step)
  for (const id of named.contestIds) yield* requireOwnContest(yield* contests.get(id), submitter, step)
})

/** With `tree` also what tasks of the groups delegated. The groups are as they are after the cancel. */
export const cancelAll = Effect.fn("cancelAll")(function* (named: Named, submitter: Submitter, options: CancelOptions) {
  const many = { concurrency: atATime }
  const request = { reason: options.reason, by: options.by }
  const { tasks, ...groups } = yield* Effect.all(
    {
      tasks: cancel(named.taskIds, options),
      pipelines: Effect.forEach(named.pipelineIds, (id) => cancelPipeline(id, request, submitter, options), many),
      loops: Effect.forEach(named.loopIds, (id) => cancelLoop(id, request, submitter, options), many),
      contests: Effect.forEach(named.contestIds, (id) => cancelContest(id, request, submitter, options), many)
    },
    { concurrency: "unbounded" }
  )
  const count = named.pipelineIds.length + named.loopIds.length + named.contestIds.length
  if (!options.tree || count === 0) return { ...tasks, ...groups }
  // The groups are over: what is cancelled now was delegated by their tasks.
  const members = yield* membersOf(named)
  const below = yield* cancel(Array.from(members), options)
  const known = new Set([...members, ...tasks.tasks.map(({ task }) => task.id)])
  return {
    tasks: [...tasks.tasks, ...below.tasks.filter(({ task }) => !known.has(task.id))],
    truncated: tasks.truncated || below.truncated,
    ...groups
  }
})
