/** The requests about what tasks may use and have used: limits, pauses, groups, budgets and the ledger. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { UsageView } from "../../domain/usage/UsageReport.ts"
import { Holds } from "../../programs/reports/holds.ts"
import { within } from "./TasksApi.ts"

export const UsageApi = HttpApiGroup.make("usage")
  .add(
    HttpApiEndpoint.get("limits", "/limits")
      .addSuccess(Holds)
      .annotate(OpenApi.Summary, "What bounds the start of tasks: limits of accounts, pauses, groups and budgets")
  )
  .add(
    HttpApiEndpoint.get("usage", "/usage")
      .setUrlParams(
        Schema.Struct({
          since: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "Default: 30 days ago")),
          until: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "Default: now")),
          by: Schema.optional(
            Schema.NonEmptyString.pipe(Schema.maxLength(200)).annotations({
              description:
                "Up to three of day, agent, model, account, directory, pipeline and label:KEY, with commas; default: agent"
            })
          )
        })
      )
      .addSuccess(UsageView)
      .annotate(OpenApi.Summary, "The tokens that agents used, and what they cost")
  )
