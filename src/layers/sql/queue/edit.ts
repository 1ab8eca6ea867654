/** Changing a task that has not started: a compare-and-set against every claim and every other edit. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DependencyInvalid, TaskStateConflict } from "../../../domain/Errors.ts"
import { redrawn } from "../../../domain/task/Dependency.ts"
import { Fallback, Labels, TaskId, TaskSummary, titleOf } from "../../../domain/task/Task.ts"
import type { TaskEdit } from "../../../domain/task/TaskEdit.ts"
import { makeLaneBudgets } from "../budgets/laneBudgets.ts"
import * as Statement from "../database/Statement.ts"
import { makeLaneOf } from "../limits/laneOf.ts"
import { makeInsertEnvironment } from "../tasks/insertEnvironment.ts"
import { StoredLaunch, SummaryRow, storedFlag } from "../tasks/Rows.ts"
import { orNotFound, taskById } from "../tasks/TaskRows.ts"
import { makeDependencies } from "./Dependencies.ts"

const EditedTask = Schema.partialWith(
  Schema.Struct({
    ...TaskSummary.pick(
      "title",
      "priority",
      "agent",
      "model",
      "account",
      "directory",
      "timeoutMs",
      "stallMs",
      "notBefore",
      "sessionId"
    ).fields,
    labels: Schema.parseJson(Labels),
    fallback: Schema.parseJson(Fallback),
    spare: storedFlag,
    lane: Schema.Int,
    resumeSession: Schema.Null
  }),
  { exact: true }
)

const EditedInput = Schema.partialWith(
  Schema.Struct({
    prompt: Schema.String,
    systemPrompt: Schema.NullOr(Schema.String),
    launch: StoredLaunch,
    environmentId: Schema.String
  }),
  { exact: true }
)

const defined = <A extends object>(fields: A) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Must run inside a transaction. */
export const makeEdit = (sql: SqlClient.SqlClient) => {
  const { connect, edgesOf: storedEdges } = makeDependencies(sql)
  const whole = taskById(sql)
  const laneOf = makeLaneOf(sql)
  const laneBudgets = makeLaneBudgets(sql)

  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      ...TaskSummary.pick(
        "seq",
        "status",
        "cancelRequestedAt",
        "continueFrom",
        "agent",
        "model",
        "group",
        "rootId",
        "parentId",
        "directory"
      ).fields,
      ...SummaryRow.pick("account", "labels", "spare").fields,
      lane: Schema.Int,
      revision: Schema.Int
    }),
    execute: (id) =>
      sql`
        SELECT seq, status, cancel_requested_at, continue_from, agent, model, "group", root_id, parent_id, directory, labels,
          account, spare, lane, revision
        FROM tasks WHERE id = ${id}
      `
  }))

  const updateTask = Statement.run(() => ({
    Request: Schema.Struct({ id: TaskId, fields: EditedTask, revision: Schema.Int }),
    execute: ({ fields, id, revision }) =>
      sql`UPDATE tasks SET ${sql.update({ ...fields, revision: revision + 1 })} WHERE id = ${id} AND status = 'queued'`
  }))

  const updateInput = Statement.run(() => ({
    Request: Schema.Struct({ id: TaskId, fields: EditedInput }),
    execute: ({ fields, id }) => sql`UPDATE task_inputs SET ${sql.update(fields)} WHERE task_id = ${id}`
  }))

  const insertEnvironment = makeInsertEnvironment(sql)

  const replaceLabels = (taskSeq: number, labels: Labels) =>
    Effect.gen(function* () {
      yield* sql`DELETE FROM task_labels WHERE task_seq = ${taskSeq}`
      for (const [key, value] of Object.entries(labels)) {
        yield* sql`INSERT INTO task_labels ${sql.insert({ taskSeq, key, value })}`
      }
    })

  const replaceEdges = (id: TaskId, continueFrom: TaskId | null, dependsOn: NonNullable<TaskEdit["dependsOn"]>) =>
    Effect.gen(function* () {
      const before = yield* storedEdges(id)
      const { fresh, kept } = yield* redrawn(before, dependsOn, continueFrom)
      const upstreams = JSON.stringify(kept.map(({ taskId }) => taskId))
      yield* sql`
        DELETE FROM task_dependencies
        WHERE task_id = ${id} AND upstream_id NOT IN (SELECT value FROM json_each(${upstreams}))
      `
      yield* connect(id, fresh, false)
      const unmet = (yield* storedEdges(id)).find(({ state }) => state === "unmet")
      if (unmet !== undefined) return yield* new DependencyInvalid({ problem: "unmet", subject: unmet.taskId })
    })

  return (id: TaskId, edit: TaskEdit, revision: number, environmentId: string | null) =>
    Effect.gen(function* () {
      const standing = yield* findStanding(id).pipe(orNotFound(id))
      if (standing.status !== "queued" || standing.revision !== revision) {
        return yield* new TaskStateConflict({ id, step: "be edited", actual: standing.status })
      }
      const { account, dependsOn, environment, labels, launch, prompt, systemPrompt, ...fields } = edit
      // Another start: what it waited for, and the session in which it was to continue, are those of the one before.
      const { group, parentId, rootId } = standing
      const spare = edit.spare ?? standing.spare
      const agent = edit.agent ?? standing.agent
      const directory = edit.directory ?? standing.directory
      const counted = { id, rootId, parentId, agent, directory, labels: labels ?? standing.labels }
      const budgets = yield* laneBudgets.keyOf(counted)
      // An account that is known keeps its name.
      const known = standing.account === null ? null : { key: standing.account, agent }
      const lane =
        account !== undefined || spare !== standing.spare
          ? yield* laneOf({
              account: account === undefined ? known : account,
              model: account === undefined ? standing.model : (edit.model ?? null),
              agent,
              group,
              spare,
              budgets
            })
          : yield* laneBudgets.laneWith(standing.lane, budgets)
      const resumeSession = launch === undefined ? undefined : null
      const title = prompt === undefined ? undefined : titleOf(prompt)
      yield* updateTask({
        id,
        revision,
        fields: defined({
          ...fields,
          account: account === null ? null : account?.key,
          labels,
          lane,
          resumeSession,
          title
        })
      })
      if (environment !== undefined && environmentId !== null) {
        yield* insertEnvironment({ id: environmentId, variables: environment })
      }
      const input = defined({ prompt, systemPrompt, launch, environmentId: environmentId ?? undefined })
      if (Object.keys(input).length > 0) yield* updateInput({ id, fields: input })
      if (labels !== undefined) yield* replaceLabels(standing.seq, labels)
      if (dependsOn !== undefined) yield* replaceEdges(id, standing.continueFrom, dependsOn)
      return yield* whole(id).pipe(orNotFound(id))
    })
}
