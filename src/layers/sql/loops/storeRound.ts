/** Stores a round: its row and its tasks, from what the loop captured when it was submitted. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type LoopRules, sessionToContinue } from "../../../domain/loop/Loop.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { upstreamsOf, withoutPruned } from "../../../domain/task/Arrival.ts"
import { type NewDependency, type NewTask, withFreshSession } from "../../../domain/task/NewTask.ts"
import { TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { spanIdOf, withTraceparent } from "../../../domain/traces/TraceContext.ts"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import type { Ids } from "../../../services/Ids.ts"
import * as Statement from "../database/Statement.ts"
import { makeEnqueue } from "../queue/enqueue.ts"
import { StoredTask } from "../schedules/ScheduleRows.ts"
import { StoredEnvironment } from "../tasks/Rows.ts"
import { summaryById } from "../tasks/TaskRows.ts"
import { Role } from "./LoopRows.ts"

export const makeStoreRound = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const enqueue = makeEnqueue(sql)
  const findTask = summaryById(sql)

  const findCaptured = Statement.findAll(() => ({
    Request: LoopId,
    Result: Schema.Struct({
      position: Schema.Int,
      role: Role,
      environmentId: Schema.String,
      task: StoredTask,
      variables: StoredEnvironment
    }),
    execute: (id) => sql`
      SELECT loop_tasks.position, loop_tasks.role, loop_tasks.environment_id, loop_tasks.task, environments.variables
      FROM loop_tasks JOIN environments ON environments.id = loop_tasks.environment_id
      WHERE loop_tasks.loop_id = ${id} ORDER BY loop_tasks.position
    `
  }))

  const insertRoundTask = Statement.run(() => ({
    Request: Schema.Struct({ loopId: LoopId, round: Schema.Int, position: Schema.Int, taskId: TaskId }),
    execute: (row) => sql`INSERT INTO loop_round_tasks ${sql.insert(row)}`
  }))

  /**
   * Each task follows the one before it: they work in one directory. A step starts only where the one before it has completed;
   * what it left is evaluated either way. A judge costs money, so it starts only where every command of `until` has passed.
   */
  const following = (task: NewTask, position: number, roles: ReadonlyArray<Role>): NewTask => {
    if (position === 0) return task
    if (roles[position] === "work") {
      return { ...task, dependsOn: [{ upstream: { member: position - 1 }, policy: "success" }] }
    }
    const dependsOn = roles.slice(0, position).flatMap((role, member): ReadonlyArray<NewDependency> => {
      if (roles[position] === "judge" && role === "until") return [{ upstream: { member }, policy: "success" }]
      return member === position - 1 ? [{ upstream: { member }, policy: "finished" }] : []
    })
    return { ...task, dependsOn, continueFrom: null }
  }

  /** All tasks of a loop work in one workspace, which the work of each round finds at the commit that it starts from. */
  const inWorkspace = (task: NewTask, position: number, round: number, startCommit: CommitId | null): NewTask => {
    const { workspace } = task
    if (workspace?.kind !== "new" || (round === 1 && position === 0)) return task
    const start = position === 0 ? (startCommit ?? workspace.base) : null
    return { ...task, workspace: { kind: "existing", id: workspace.id, startCommit: start } }
  }

  /** A later round with the key would be taken for a repeat of the first one, which has waited for what may be pruned since. */
  const later = (task: NewTask) =>
    Effect.map(
      Effect.filter(upstreamsOf(task), (id) => Effect.map(findTask(id), Option.isNone)),
      (gone) => withoutPruned({ ...task, idempotencyKey: null }, gone)
    )

  /** The work of one step in one round. */
  const findWorked = Statement.findOne(() => ({
    Request: Schema.Struct({ loopId: LoopId, round: Schema.Int, position: Schema.Int }),
    Result: TaskSummary.pick("status", "sessionId"),
    execute: ({ loopId, position, round }) => sql`
      SELECT tasks.status, tasks.session_id FROM loop_round_tasks own JOIN tasks ON tasks.id = own.task_id
      WHERE own.loop_id = ${loopId} AND own.round = ${round} AND own.position = ${position}
    `
  }))

  /** The step starts as one that was put back with its session. */
  const continueSession = (loopId: LoopId, rules: LoopRules, round: number, position: number, taskId: TaskId) =>
    Effect.gen(function* () {
      const before = yield* findWorked({ loopId, round: round - 1, position })
      const session = sessionToContinue(rules, Option.getOrNull(before))
      if (session === null) return
      yield* sql`UPDATE tasks SET resume_session = ${session}, session_id = ${session} WHERE id = ${taskId}`
    })

  /** It must run inside a transaction. */
  return (id: LoopId, rules: LoopRules, round: number, startCommit: CommitId | null, maxDepth: number) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const captured = yield* findCaptured(id)
      const roles = captured.map(({ role }) => role)
      const arrivals = yield* Effect.forEach(captured, ({ environmentId, task, variables }, position) =>
        Effect.gen(function* () {
          const fresh = withFreshSession({ ...task, environment: variables }, yield* ids.uuid)
          const placed = inWorkspace(fresh, position, round, startCommit)
          const traced = withTraceparent(following(placed, position, roles), spanIdOf("loop", id))
          return { id: yield* ids.task, environmentId, task: round === 1 ? traced : yield* later(traced) }
        })
      )
      yield* enqueue(arrivals, maxDepth)
      yield* sql`
        INSERT INTO loop_rounds (loop_id, round, start_commit, started_at)
        VALUES (${id}, ${round}, ${startCommit}, ${now})
      `
      // The work of a goal is its lead.
      yield* sql`
        UPDATE tasks SET goal_id = ${id}
        WHERE id = ${arrivals[0]?.id ?? null} AND EXISTS (SELECT 1 FROM goals WHERE loop_id = ${id})
      `
      for (const [position, arrival] of arrivals.entries()) {
        yield* insertRoundTask({ loopId: id, round, position, taskId: arrival.id })
        if (rules.session && roles[position] === "work") {
          yield* continueSession(id, rules, round, position, arrival.id)
        }
      }
      yield* sql`UPDATE loops SET round = ${round} WHERE id = ${id}`
    })
}
