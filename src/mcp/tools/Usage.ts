/** What agents used and what that cost. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { UsageView } from "../../domain/usage/UsageReport.ts"
import { parseDimensions, usageReport } from "../../programs/usage/usageReport.ts"
import { whole } from "../fields/Fields.ts"
import { tool } from "../Tool.ts"

const dayMs = 86_400_000

/** Rows of one answer: the total counts the others too. */
const mostRows = 50

export const usageTool = tool({
  name: "Usage",
  title: "Usage and cost",
  description:
    "Show the tokens that agents used and what they cost, in at most 50 rows. A cost that no agent reported is a list price.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    days: Schema.optional(whole(1, 400, "Of the last so many days (default: 30)")),
    by: Schema.optional(
      Schema.NonEmptyString.annotations({
        description: "Up to three of day, agent, model, account, directory, pipeline, label:KEY (default: agent)"
      })
    )
  }),
  output: UsageView,
  example: { days: 7, by: "agent,model" },
  handle: Effect.fn("Usage")(function* ({ by: written = "agent", days = 30 }) {
    const by = parseDimensions(written)
    if (Either.isLeft(by)) {
      return yield* new InvalidInput({ field: "by", problem: by.left, example: '"agent,model"' })
    }
    // A run that ends in this millisecond belongs to it.
    const to = (yield* Clock.currentTimeMillis) + 1
    const from = Math.max(0, to - days * dayMs)
    const { rows, total } = yield* usageReport({ from, to, by: by.right })
    return { from, to, by: by.right, rows: rows.slice(0, mostRows), total, cut: rows.length > mostRows }
  })
})
