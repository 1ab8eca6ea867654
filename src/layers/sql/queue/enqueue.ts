/** The arrival of tasks: rows, inputs, labels, edges and the environment they share with others. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BudgetStanding, treeBudget } from "../../../domain/budgets/Budget.ts"
import { IdempotencyConflict } from "../../../domain/Errors.ts"
import { arrivalOf, isSameWork } from "../../../domain/task/Arrival.ts"
import { drawn, idOf, orderOf } from "../../../domain/task/Dependency.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import { type PipelineId, Task, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { traceparentOf } from "../../../domain/traces/TraceContext.ts"
import type { Enqueued } from "../../../services/Queue.ts"
import { makeLaneBudgets } from "../budgets/laneBudgets.ts"
import * as Statement from "../database/Statement.ts"
import { makeAdmitDelegation } from "../goals/admitDelegation.ts"
import { makeLaneOf } from "../limits/laneOf.ts"
import { makeInsertEnvironment } from "../tasks/insertEnvironment.ts"
import { ArrivalRow, StoredLaunch, StoredTraceparent } from "../tasks/Rows.ts"
import { orDieWhenMissing, orNotFound, summaryById, taskById } from "../tasks/TaskRows.ts"
import { makeProvideWorkspace } from "../workspaces/provideWorkspace.ts"
import { makeDependencies } from "./Dependencies.ts"
import { makeReleaseDependents } from "./releaseDependents.ts"

/** What was made ready outside of the transaction. */
export interface Arrival {
  readonly id: TaskId
  readonly task: NewTask
  /** Names the set of variables: equal sets have equal names. */
  readonly environmentId: string
  /** The pipeline it is a step of. */
  readonly pipelineId?: PipelineId
}

/** The variables in a fixed order, so that equal sets have equal texts. */
export const canonical = (environment: NewTask["environment"]): string =>
  JSON.stringify(Object.entries(environment).sort(([left], [right]) => (left < right ? -1 : 1)))

/** What a task inherits from the task that delegated it, or from the one that it retries. */
const Forebear = Schema.Struct({
  ...TaskSummary.pick("id", "depth", "attempt", "rootId", "goalId", "pipelineId").fields,
  traceparent: StoredTraceparent
})

/** The task that was already stored under the idempotency key of a new one; null: none, or it has no key. */
export const makeTwinOf = (sql: SqlClient.SqlClient) => {
  const findByKey = Statement.findOne(() => ({
    Request: Schema.String,
    Result: Task.pick("id", "agent", "directory", "prompt"),
    execute: (key) => sql`
      SELECT tasks.id, tasks.agent, tasks.directory, task_inputs.prompt
      FROM tasks JOIN task_inputs ON task_inputs.task_id = tasks.id
      WHERE tasks.idempotency_key = ${key}
    `
  }))
  return (task: NewTask) =>
    Effect.gen(function* () {
      const key = task.idempotencyKey
      const found = key === null ? Option.none() : yield* findByKey(key)
      if (key === null || Option.isNone(found)) return null
      const { id } = found.value
      return isSameWork(found.value, task) ? id : yield* new IdempotencyConflict({ key, existing: id })
    })
}

/** Stores tasks; it must run inside a transaction. */
export const makeEnqueue = (sql: SqlClient.SqlClient) => {
  const { connect, edgesOf } = makeDependencies(sql)
  const { cascade } = makeReleaseDependents(sql)
  const provide = makeProvideWorkspace(sql)
  const summary = summaryById(sql)
  const whole = taskById(sql)
  const laneOf = makeLaneOf(sql)
  const admit = makeAdmitDelegation(sql)
  const laneBudgets = makeLaneBudgets(sql)
  const twinOf = makeTwinOf(sql)

  const findForebear = Statement.findOne(() => ({
    Request: TaskId,
    Result: Forebear,
    execute: (id) => sql`
      SELECT id, depth, attempt, root_id, goal_id, pipeline_id, traceparent FROM tasks WHERE id = ${id}
    `
  }))

  const insertTask = Statement.single(() => ({
    Request: ArrivalRow,
    Result: TaskSummary.pick("seq"),
    execute: (row) => sql`INSERT INTO tasks ${sql.insert(row)} RETURNING seq`
  }))

  const insertEnvironment = makeInsertEnvironment(sql)

  const insertInput = Statement.run(() => ({
    Request: Schema.Struct({
      taskId: TaskId,
      environmentId: Schema.String,
      launch: StoredLaunch,
      systemPrompt: Schema.NullOr(Schema.String),
      prompt: Schema.String
    }),
    execute: (row) => sql`INSERT INTO task_inputs ${sql.insert(row)}`
  }))

  const insertBudget = Statement.run(() => ({
    Request: BudgetStanding.omit("used", "reserved"),
    execute: (row) => sql`INSERT INTO budgets ${sql.insert(row)}`
  }))

  const insertLabel = Statement.run(() => ({
    Request: Schema.Struct({ taskSeq: Schema.Int, key: Schema.String, value: Schema.String }),
    execute: (row) => sql`INSERT INTO task_labels ${sql.insert(row)}`
  }))

  /** The row of a task and what belongs to it, but for its edges. */
  const insert = ({ environmentId, id, pipelineId, task }: Arrival, maxDepth: number, kind: "new" | "retry") =>
    Effect.gen(function* () {
      const parent = task.parentId === null ? null : Option.getOrNull(yield* findForebear(task.parentId))
      const original = task.retryOf === null ? null : yield* findForebear(task.retryOf).pipe(orNotFound(task.retryOf))
      const arrival = yield* arrivalOf(task, { parent, original }, maxDepth)

      const {
        account,
        budgetMicro,
        continueFrom: _upstream,
        dependsOn: _edges,
        environment,
        launch,
        prompt,
        systemPrompt,
        traceparent,
        workspace,
        ...fields
      } = task
      if (workspace !== undefined) yield* provide(workspace)
      if (budgetMicro !== undefined) yield* insertBudget(treeBudget(id, budgetMicro))
      const { seq } = yield* insertTask({
        ...fields,
        ...arrival,
        id,
        // An automatic retry of a lead is the lead. A task that a person retries or continues belongs to that person.
        goalId: parent?.goalId ?? (kind === "retry" ? (original?.goalId ?? null) : null),
        lane: yield* laneOf({
          account: account ?? null,
          model: task.model,
          agent: task.agent,
          group: arrival.group,
          spare: arrival.spare,
          budgets: yield* laneBudgets.keyOf({ ...task, id, rootId: arrival.rootId })
        }),
        uid: launch.uid ?? null,
        continueFrom: null,
        pipelineId: pipelineId ?? null,
        traceparent: traceparentOf(traceparent, parent, original),
        startCommit: workspace?.kind === "existing" ? workspace.startCommit : null,
        createdAt: yield* Clock.currentTimeMillis
      }).pipe(orDieWhenMissing)
      yield* insertEnvironment({ id: environmentId, variables: environment })
      yield* insertInput({ taskId: id, environmentId, launch, systemPrompt, prompt })
      for (const [key, value] of Object.entries(task.labels)) yield* insertLabel({ taskSeq: seq, key, value })
    })

  /** An automatic retry is not a new task of a goal: the number of retries is bounded with the task that it retries. */
  return (arrivals: ReadonlyArray<Arrival>, maxDepth: number, kind: "new" | "retry" = "new") =>
    Effect.gen(function* () {
      if (kind === "new") yield* admit(arrivals.map(({ task }) => task))
      const order = yield* orderOf(arrivals.map(({ task }) => task))
      const twins = new Map<number, Task>()
      for (const [member, arrival] of arrivals.entries()) {
        const twin = yield* twinOf(arrival.task)
        if (twin === null) yield* insert(arrival, maxDepth, kind)
        else twins.set(member, yield* whole(twin).pipe(orNotFound(twin)))
      }

      const idAt = (member: number) => twins.get(member)?.id ?? arrivals[member]?.id
      const connected = new Set<TaskId>()
      for (const { edges, member } of order) {
        const arrival = arrivals[member]
        if (arrival === undefined || twins.has(member)) continue
        if (edges.length > 0) {
          connected.add(arrival.id)
          yield* connect(arrival.id, drawn(edges, idAt), true)
        }
        const { continueFrom } = arrival.task
        const from = continueFrom === null ? undefined : idOf(continueFrom, idAt)
        if (from !== undefined) yield* sql`UPDATE tasks SET continue_from = ${from} WHERE id = ${arrival.id}`
      }
      if (order.some(({ edges }) => edges.length > 0)) yield* cascade(arrivals.map(({ id }) => id))

      return yield* Effect.forEach(arrivals, (arrival, member) =>
        Effect.gen(function* () {
          const twin = twins.get(member)
          if (twin !== undefined) return { task: twin, created: false } satisfies Enqueued
          const { prompt, systemPrompt } = arrival.task
          const stored = yield* summary(arrival.id).pipe(orNotFound(arrival.id))
          const dependsOn = connected.has(arrival.id) ? yield* edgesOf(arrival.id) : []
          return {
            task: { ...stored, prompt, systemPrompt, dependsOn, answer: null },
            created: true
          } satisfies Enqueued
        })
      )
    })
}
