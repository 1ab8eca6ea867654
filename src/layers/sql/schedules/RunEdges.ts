/** What a run of a schedule waits for: the run before it, and the run of the schedule that it follows. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { PipelineStep } from "../../../domain/pipeline/Pipeline.ts"
import { standingBefore } from "../../../domain/schedule/Firing.ts"
import { Execution, type Schedule } from "../../../domain/schedule/Schedule.ts"
import { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { NewDependency } from "../../../domain/task/NewTask.ts"
import { TaskId, TaskStatus, Timestamp } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import * as Statement from "../database/Statement.ts"
import { makeCancelPipeline } from "../pipelines/cancelPipeline.ts"
import { makeCancel } from "../queue/cancel.ts"
import { makeFinish } from "../queue/finish.ts"
import { executionColumns, scheduleById } from "./ScheduleRows.ts"

/** As many as a task may have. */
const mostEdges = 100

const replaced = { reason: "superseded by the schedule's next run", by: "schedule" }

const StepRow = Schema.Struct({
  taskId: TaskId,
  status: TaskStatus,
  policy: PipelineStep.fields.policy,
  after: Schema.parseJson(PipelineStep.fields.after)
})

/** What the schedule that a run follows decides for it. */
interface Leading {
  /** It has an earlier time that was not fired yet. */
  readonly first: Schedule | null
  /** Why the run may not start. */
  readonly refused: string | null
  readonly edges: ReadonlyArray<NewDependency>
}

export const makeRunEdges = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const byId = scheduleById(sql)
  const cancelTask = makeCancel(sql, makeFinish(sql, ids))
  const cancelPipeline = makeCancelPipeline(sql, ids)

  /** The newest run of a schedule that started something, up to a time. */
  const findNewestRun = Statement.findOne(() => ({
    Request: Schema.Struct({ id: ScheduleId, until: Timestamp }),
    Result: Execution,
    execute: ({ id, until }) => sql`
      SELECT ${sql.literal(executionColumns)} FROM schedule_executions
      WHERE schedule_id = ${id} AND due_at <= ${until} AND status NOT IN ('skipped', 'missed')
      ORDER BY due_at DESC LIMIT 1
    `
  }))

  const findSteps = Statement.findAll(() => ({
    Request: Schema.String,
    Result: StepRow,
    execute: (pipelineId) => sql`
      SELECT step.task_id, step.policy, step.after, tasks.status
      FROM pipeline_steps step JOIN tasks ON tasks.id = step.task_id
      WHERE step.pipeline_id = ${pipelineId} ORDER BY step.position
    `
  }))

  const whenOver = (execution: Execution) =>
    Effect.gen(function* () {
      if (execution.taskId !== null) return [{ upstream: execution.taskId, policy: "finished" } satisfies NewDependency]
      if (execution.pipelineId === null) return []
      const steps = yield* findSteps(execution.pipelineId)
      return steps.flatMap(
        ({ status, taskId }): ReadonlyArray<NewDependency> =>
          status === "queued" || status === "running" ? [{ upstream: taskId, policy: "finished" }] : []
      )
    })

  const onSuccess = (execution: Execution) =>
    Effect.gen(function* () {
      if (execution.taskId !== null) return [{ upstream: execution.taskId, policy: "success" } satisfies NewDependency]
      if (execution.pipelineId === null) return []
      const steps = yield* findSteps(execution.pipelineId)
      // A step that runs only after a failure is skipped when nothing fails, and so are the steps after it.
      const spare = new Set<number>()
      for (const [at, { after, policy }] of steps.entries()) {
        if (policy === "failure" || after.some((other) => spare.has(other))) spare.add(at)
      }
      return steps.map(
        ({ taskId }, at): NewDependency => ({ upstream: taskId, policy: spare.has(at) ? "finished" : "success" })
      )
    })

  return {
    leading: ({ follows }: Schedule, dueAt: number) =>
      Effect.gen(function* () {
        const free: Leading = { first: null, refused: null, edges: [] }
        if (follows === null) return free
        const leader = yield* byId(follows)
        if (Option.isNone(leader)) return free
        const { name, nextDueAt, status } = leader.value
        if (status === "active" && nextDueAt !== null && nextDueAt <= dueAt) return { ...free, first: leader.value }
        const newest = yield* findNewestRun({ id: follows, until: dueAt })
        if (Option.isNone(newest)) return free
        const called = `the run of ${name ?? follows} before it`
        if (newest.value.status === "failed") return { ...free, refused: `${called} failed` }
        if (newest.value.status === "cancelled") return { ...free, refused: `${called} was cancelled` }
        return newest.value.status === "running" ? { ...free, edges: yield* onSuccess(newest.value) } : free
      }),

    /** Ends the runs that have not ended where the schedule says so, and makes the next one wait until they have. */
    overlapping: ({ overlap }: Schedule, open: ReadonlyArray<Execution>) =>
      Effect.gen(function* () {
        if (overlap === "allow" || overlap === "skip") return []
        if (overlap === "cancel-previous") {
          for (const { pipelineId, taskId } of open) {
            // Pruned: it has long been over. Whatever else goes wrong takes the whole transaction back.
            const gone = () => Effect.void
            if (taskId !== null) yield* cancelTask(taskId, replaced).pipe(Effect.catchTag("TaskNotFound", gone))
            if (pipelineId !== null) {
              yield* cancelPipeline(pipelineId, replaced).pipe(Effect.catchTag("PipelineNotFound", gone))
            }
          }
        }
        // Also after a cancel: two agents at one place at a time would be worse than a late one.
        return (yield* Effect.forEach(standingBefore(overlap, open), whenOver)).flat()
      }),

    /** One edge for each task, those that ask for more first. */
    together: (
      leading: ReadonlyArray<NewDependency>,
      own: ReadonlyArray<NewDependency>
    ): ReadonlyArray<NewDependency> =>
      Array.from(new Map([...own, ...leading].map((edge) => [edge.upstream, edge])).values())
        .sort((left, right) => Number(right.policy === "success") - Number(left.policy === "success"))
        .slice(0, mostEdges)
  }
}
