/** Cancels tasks, pipelines, loops and contests, with all their processes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskSummary } from "../../domain/task/Task.ts"
import { cancelAll, requireOwnAll } from "../../programs/groups/cancelAll.ts"
import { resolveAll } from "../../programs/groups/resolveAll.ts"
import { GroupState, groupState } from "../../programs/reports/groupState.ts"
import { TaskState, taskState } from "../../programs/reports/taskState.ts"
import { Cancelled, CancelResult } from "../../programs/tasks/cancel.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { References, withDefault } from "../fields/Fields.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

const { answer } = Cancelled.fields

const Cancel = TaskSummary.pick("cancelReason", "cancelledBy")

export const cancelTask = tool({
  name: "CancelTask",
  title: "Cancel tasks",
  description: "Cancel (stop) tasks, pipelines, loops or contests and return when their processes have exited.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    ids: References,
    reason: Schema.optional(Schema.String.pipe(Schema.maxLength(1000))),
    tree: withDefault(Schema.Boolean.annotations({ description: "Also all that they delegated" }), false)
  }),
  output: Schema.Struct({
    tasks: Schema.Array(Schema.Struct({ answer, task: Schema.Struct({ ...TaskState.fields, ...Cancel.fields }) })),
    /** Null where no pipeline, loop or contest was named. */
    groups: Schema.NullOr(Schema.Array(Schema.Struct({ answer, ...GroupState.fields }))),
    truncated: CancelResult.fields.truncated
  }),
  example: { ids: ["k3v9x2m7q4ab"], reason: "wrong branch", tree: false },
  handle: Effect.fn("CancelTask")(function* (input, call) {
    const session = yield* Session
    const submitter = submitterOf(session.environment)
    const by = submitter.taskId === null && call.client !== null ? call.client : yield* nameOf(submitter)
    const named = yield* resolveAll(input.ids)
    yield* requireOwnAll(named, submitter, "cancel")
    yield* session.serving
    const { contests, loops, pipelines, tasks, truncated } = yield* cancelAll(named, submitter, {
      tree: input.tree,
      reason: input.reason ?? null,
      by,
      justLaunched: false,
      onTrouble: (problem) => Effect.logWarning(`cancelling: workers keep exiting. ${problem.message}`)
    }).pipe(withProgress(call, Effect.succeed("waiting for the processes to exit")))
    const groups = [
      ...pipelines.map(({ answer, pipeline }) => ({ answer, id: pipeline.id })),
      ...loops.map(({ answer, loop }) => ({ answer, id: loop.id })),
      ...contests.map(({ answer, contest }) => ({ answer, id: contest.id }))
    ]
    const states = yield* Effect.forEach(groups, ({ answer, id }) =>
      Effect.map(groupState(id, false), (state) => (state === null ? [] : [{ answer, ...state }]))
    )
    return {
      tasks: yield* Effect.forEach(tasks, ({ answer, task }) =>
        Effect.map(taskState(task.id), (state) => ({
          answer,
          task: { ...state, cancelReason: task.cancelReason, cancelledBy: task.cancelledBy }
        }))
      ),
      groups: groups.length === 0 ? null : states.flat(),
      truncated
    }
  })
})
