/** The requests about pipelines and schedules. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Pipeline, PipelinePage } from "../../domain/pipeline/Pipeline.ts"
import { ScheduleBoard } from "../../programs/schedules/scheduleReport.ts"
import { within } from "./TasksApi.ts"

const pipeline = HttpApiSchema.param(
  "pipeline",
  Schema.NonEmptyString.pipe(Schema.maxLength(64)).annotations({
    description: "A pipeline id, a unique beginning of one, a name, or @last"
  })
)

const pageFields = {
  limit: Schema.optional(within(1, 100, "Default: 20")),
  before: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "'next' of the page before"))
}

export const PlansApi = HttpApiGroup.make("plans")
  .add(
    HttpApiEndpoint.get("pipelines", "/pipelines")
      .setUrlParams(Schema.Struct(pageFields))
      .addSuccess(PipelinePage)
      .annotate(OpenApi.Summary, "Pipelines, newest first")
  )
  .add(
    HttpApiEndpoint.get("pipeline")`/pipelines/${pipeline}`
      .addSuccess(Pipeline)
      .annotate(OpenApi.Summary, "A pipeline with its steps")
  )
  .add(
    HttpApiEndpoint.get("schedules", "/schedules")
      .setUrlParams(
        Schema.Struct({
          ...pageFields,
          all: Schema.optional(
            Schema.Literal("true", "false").annotations({ description: "true: finished ones too; default: false" })
          )
        })
      )
      .addSuccess(ScheduleBoard)
      .annotate(OpenApi.Summary, "Schedules, newest first, with their next times and newest executions")
  )
