/** A task, or the rounds of a loop or a goal, with everything that was delegated below. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LoopSummary } from "../../domain/loop/Loop.ts"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import { type TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { Goals } from "../../services/Goals.ts"
import { Loops } from "../../services/Loops.ts"
import { Tasks } from "../../services/Tasks.ts"

/** Tasks in one answer at most. */
export const treeLimit = 1000

export const TreeTask = Schema.Struct({
  ...TaskSummary.pick(
    "id",
    "title",
    "status",
    "cause",
    "agent",
    "parentId",
    "retriedBy",
    "waitingOn",
    "asks",
    "parkedAt",
    "wakes",
    "createdAt",
    "startedAt",
    "endedAt"
  ).fields,
  /** 0 for the tasks that the tree was asked for. */
  level: Schema.Int,
  /** The round of the loop that it is the work of. */
  round: Schema.NullOr(Schema.Int),
  /** US dollars, by the ledger; null where none are known. */
  costUsd: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "TreeTask" })
export type TreeTask = typeof TreeTask.Type

export const TaskTree = Schema.Struct({
  /** The loop or the goal that was asked for. */
  loop: Schema.NullOr(LoopSummary),
  /** Each task right above those that it delegated, oldest first. */
  tasks: Schema.Array(TreeTask),
  total: Schema.Struct({ tasks: Schema.Int, open: Schema.Int, costUsd: Schema.Number }),
  /** There are more than 1000 tasks. */
  truncated: Schema.Boolean
}).annotations({ identifier: "TaskTree" })
export type TaskTree = typeof TaskTree.Type

interface Root {
  readonly id: TaskId
  readonly round: number | null
}

const walk = Effect.fn("tree.walk")(function* (roots: ReadonlyArray<Root>) {
  const tasks = yield* Tasks
  const found: Array<Omit<TreeTask, "costUsd">> = []
  const seen = new Set<TaskId>()
  let truncated = false
  const visit = (
    id: TaskId,
    level: number,
    round: number | null
  ): Effect.Effect<void, Effect.Effect.Error<ReturnType<typeof tasks.summary>>> =>
    Effect.gen(function* () {
      if (seen.has(id)) return
      if (found.length >= treeLimit) {
        truncated = true
        return
      }
      seen.add(id)
      const task = yield* tasks.summary(id)
      found.push({ ...task, level, round })
      for (const child of yield* tasks.children(id)) yield* visit(child, level + 1, null)
      // The next attempt is the same work: it is on the same level.
      if (task.retriedBy !== null) yield* visit(task.retriedBy, level, round)
    })
  for (const { id, round } of roots) yield* visit(id, 0, round)
  return { found, truncated }
})

const treeOf = Effect.fn("tree")(function* (loop: LoopSummary | null, roots: ReadonlyArray<Root>) {
  const goals = yield* Goals
  const { found, truncated } = yield* walk(roots)
  const costs = yield* goals.costs(found.map(({ id }) => id))
  const tasks = found.map((task): TreeTask => ({ ...task, costUsd: costs.get(task.id) ?? null }))
  const tree: TaskTree = {
    loop,
    tasks,
    total: {
      tasks: tasks.length,
      open: tasks.filter(({ endedAt }) => endedAt === null).length,
      costUsd: tasks.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0)
    },
    truncated
  }
  return tree
})

export const treeOfTask = (id: TaskId) => treeOf(null, [{ id, round: null }])

export const treeOfLoop = Effect.fn("treeOfLoop")(function* (id: LoopId) {
  const loops = yield* Loops
  const { prompt: _prompt, rounds, rules: _rules, work: _work, ...loop } = yield* loops.get(id)
  return yield* treeOf(
    loop,
    rounds.flatMap(({ round, workTasks }) => workTasks.map((id) => ({ id, round })))
  )
})
