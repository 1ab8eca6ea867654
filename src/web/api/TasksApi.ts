/** The requests about tasks: find, read, follow, submit, cancel, retry and resume. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { GroupName } from "../../domain/gates/GroupName.ts"
import { Labels, Priority, TaskStatus, TaskSummary } from "../../domain/task/Task.ts"
import { WorkChanges } from "../../programs/merges/workChanges.ts"
import { OutputPage } from "../../programs/output/LinePages.ts"
import { Board } from "../../programs/reports/board.ts"
import { TaskPage } from "../../programs/reports/taskPage.ts"
import { TaskReport } from "../../programs/reports/taskReport.ts"
import { CancelResult } from "../../programs/tasks/cancel.ts"
import { Why } from "../../programs/why/WhyAnswer.ts"

/** A number in a query, within bounds. */
export const within = (low: number, high: number, description: string) =>
  Schema.NumberFromString.annotations({
    jsonSchema: { type: "integer", minimum: low, maximum: high, description }
  }).pipe(Schema.int(), Schema.between(low, high))

const whole = (low: number, high: number, description: string) =>
  Schema.Int.pipe(Schema.between(low, high)).annotations({ description })

const Reference = Schema.NonEmptyString.pipe(Schema.maxLength(64)).annotations({
  description: "A task id, a unique beginning of one, or @last"
})

const filterFields = {
  agent: Schema.optional(Schema.NonEmptyString),
  label: Schema.optional(
    Schema.Array(Schema.String).annotations({ description: "KEY=VALUE; repeatable, all must match" })
  ),
  directory: Schema.optional(Schema.NonEmptyString.annotations({ description: "Absolute path" })),
  since: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "Created since, in milliseconds since 1970"))
}

const Key = Schema.Struct({
  "idempotency-key": Schema.optional(
    Schema.NonEmptyString.pipe(Schema.maxLength(256)).annotations({ description: "A repeat returns the same task" })
  )
})

/** A task to submit. It gets the environment that `beat web` was started in, and no request changes that. */
export const Submit = Schema.Struct({
  prompt: Schema.NonEmptyString,
  agent: Schema.optional(Schema.NonEmptyString.annotations({ description: "Default: the setting defaultAgent" })),
  model: Schema.optional(Schema.NonEmptyString),
  systemPrompt: Schema.optional(Schema.String),
  priority: Schema.optional(Priority),
  directory: Schema.optional(Schema.NonEmptyString.annotations({ description: "Default: where beat web was started" })),
  timeoutMs: Schema.optional(whole(0, 31_536_000_000, "0: never")),
  stallMs: Schema.optional(whole(0, 31_536_000_000, "0: never")),
  dependsOn: Schema.optional(
    Schema.Array(Schema.NonEmptyString).pipe(Schema.maxItems(100)).annotations({
      description: "Tasks to complete first; 'id:finished': end in any way, 'id:failure': fail"
    })
  ),
  continueFrom: Schema.optional(Reference),
  retries: Schema.optional(whole(0, 20, "Automatic retries")),
  labels: Schema.optional(Labels),
  group: Schema.optional(GroupName),
  isolate: Schema.optional(
    Schema.Boolean.annotations({
      description: "Work in its own git workspace. Default: as the setting isolate says for the directory"
    })
  ),
  base: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "With isolate: HEAD, tree, revision or task" })
  )
}).annotations({ identifier: "SubmitTask" })

export const Submitted = Schema.Struct({
  task: TaskSummary,
  /** False: the idempotency key led to a task that was there before. */
  created: Schema.Boolean,
  warnings: Schema.Array(Schema.String)
}).annotations({ identifier: "SubmittedTask" })
export type Submitted = typeof Submitted.Type

export const Changes = WorkChanges.annotations({ identifier: "TaskChanges" })

/** A stream of server-sent events. */
export const EventStream = HttpApiSchema.Text({ contentType: "text/event-stream" })

const id = HttpApiSchema.param("id", Reference)

export const TasksApi = HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.get("board", "/board")
      .setUrlParams(Schema.Struct(filterFields))
      .addSuccess(Board)
      .annotate(OpenApi.Summary, "What runs, what waits and for what, and what has ended")
  )
  .add(
    HttpApiEndpoint.get("list", "/tasks")
      .setUrlParams(
        Schema.Struct({
          ...filterFields,
          status: Schema.optional(Schema.Array(TaskStatus)),
          parent: Schema.optional(Reference),
          limit: Schema.optional(within(1, 1000, "Default: 20")),
          before: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "'next' of the page before"))
        })
      )
      .addSuccess(TaskPage)
      .annotate(OpenApi.Summary, "Tasks that match all filters, newest first")
  )
  .add(
    HttpApiEndpoint.post("submit", "/tasks")
      .setHeaders(Key)
      .setPayload(Submit)
      .addSuccess(Submitted)
      .annotate(OpenApi.Summary, "Submit a task")
  )
  .add(
    HttpApiEndpoint.get("get")`/tasks/${id}`.addSuccess(TaskReport).annotate(OpenApi.Summary, "Everything about a task")
  )
  .add(
    HttpApiEndpoint.get("why")`/tasks/${id}/why`
      .addSuccess(Why)
      .annotate(OpenApi.Summary, "The one thing that a task waits for")
  )
  .add(
    HttpApiEndpoint.get("output")`/tasks/${id}/output`
      .setUrlParams(
        Schema.Struct({
          before: Schema.optional(Schema.String.annotations({ description: "'before' of a page; default: the end" })),
          lines: Schema.optional(within(1, 5000, "Default: 1000"))
        })
      )
      .addSuccess(OutputPage)
      .annotate(OpenApi.Summary, "Lines that a task printed, the newest first or those before a place")
  )
  .add(
    HttpApiEndpoint.get("follow")`/tasks/${id}/output/follow`
      .setUrlParams(Schema.Struct({ after: Schema.String.annotations({ description: "'after' of a page" }) }))
      .addSuccess(EventStream)
      .annotate(OpenApi.Summary, "Lines as they are printed, as server-sent events until the task has ended")
      .annotate(
        OpenApi.Description,
        "Events `lines` carry a JSON array of OutputLine; their id is the place behind them, and the header Last-Event-ID continues there. `end` comes last."
      )
  )
  .add(
    HttpApiEndpoint.get("diff")`/tasks/${id}/diff`
      .setUrlParams(Schema.Struct({ against: Schema.optional(Reference) }))
      .addSuccess(Changes)
      .annotate(OpenApi.Summary, "What an isolated task has changed")
  )
  .add(
    HttpApiEndpoint.post("cancel")`/tasks/${id}/cancel`
      .setPayload(
        Schema.Struct({
          reason: Schema.optional(Schema.String.pipe(Schema.maxLength(1000))),
          tree: Schema.optional(Schema.Boolean.annotations({ description: "Also cancel all that its agent submitted" }))
        })
      )
      .addSuccess(CancelResult)
      .annotate(OpenApi.Summary, "Cancel a task; the answer comes when its processes have exited, or after ten seconds")
  )
  .add(
    HttpApiEndpoint.post("retry")`/tasks/${id}/retry`
      .addSuccess(Submitted)
      .annotate(OpenApi.Summary, "Run an ended task again as a new one")
  )
  .add(
    HttpApiEndpoint.post("resume")`/tasks/${id}/resume`
      .setPayload(
        Schema.Struct({
          context: Schema.optional(Schema.String.annotations({ description: "What to do now" })),
          fresh: Schema.optional(Schema.Boolean.annotations({ description: "Start a new session of the agent" }))
        })
      )
      .addSuccess(Submitted)
      .annotate(OpenApi.Summary, "Continue an ended task in its session")
  )
