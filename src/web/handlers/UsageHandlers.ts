/** Answers the requests about limits and usage. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { InvalidInput } from "../../domain/Errors.ts"
import { mostRows } from "../../domain/usage/UsageReport.ts"
import { holds } from "../../programs/reports/holds.ts"
import { parseDimensions, usageReport } from "../../programs/usage/usageReport.ts"
import { Api } from "../api/Api.ts"
import { problemOf } from "../api/Problem.ts"

const standardMs = 30 * 86_400_000

const usage = Effect.fn("web.usage")(function* (asked: {
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly by?: string | undefined
}) {
  const by = yield* Either.mapLeft(
    parseDimensions(asked.by ?? "agent"),
    (problem) => new InvalidInput({ field: "by", problem, example: "day,agent" })
  )
  const to = asked.until ?? (yield* Clock.currentTimeMillis) + 1
  const from = asked.since ?? Math.max(0, to - standardMs)
  const { rows, total } = yield* usageReport({ from, to, by })
  return { from, to, by, rows, total, cut: rows.length === mostRows }
})

export const UsageHandlers = HttpApiBuilder.group(Api, "usage", (handlers) =>
  handlers
    .handle("limits", () => holds.pipe(Effect.mapError(problemOf)))
    .handle("usage", ({ urlParams }) => usage(urlParams).pipe(Effect.mapError(problemOf)))
)
