/** A pipeline in a few lines, for callers that read every word. */
import * as Schema from "effect/Schema"
import { type Pipeline, PipelineSummary, StepStatus } from "../../domain/pipeline/Pipeline.ts"
import { EndCause, TaskId } from "../../domain/task/Task.ts"
import { cutText } from "../reports/taskState.ts"

/** Characters of an error; the task has all of it. */
const longestError = 300

export const PipelineState = Schema.Struct({
  ...PipelineSummary.pick("id", "name", "status", "retryOf", "startedAt", "endedAt").fields,
  /** In order. */
  steps: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      status: StepStatus,
      /** Its newest attempt: for WaitTasks and TaskResult. */
      taskId: TaskId,
      agent: Schema.String,
      /** Names of the steps it follows. */
      after: Schema.Array(Schema.String),
      cause: Schema.NullOr(EndCause),
      /** Cut at 300 characters. */
      error: Schema.NullOr(Schema.String)
    })
  )
}).annotations({ identifier: "PipelineState" })
export type PipelineState = typeof PipelineState.Type

export const pipelineState = (pipeline: Pipeline): PipelineState => {
  const { endedAt, id, name, retryOf, startedAt, status, steps } = pipeline
  return {
    id,
    name,
    status,
    retryOf,
    startedAt,
    endedAt,
    steps: steps.map(({ after, name, status, task }) => ({
      name,
      status,
      taskId: task.id,
      agent: task.agent,
      after: after.flatMap((place) => steps[place]?.name ?? []),
      cause: task.cause,
      error: task.error === null ? null : cutText(task.error, longestError)
    }))
  }
}
