/** Answers the requests about pipelines and schedules. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import type { ScheduleStatus } from "../../domain/schedule/Schedule.ts"
import { scheduleBoard } from "../../programs/schedules/scheduleReport.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Api } from "../api/Api.ts"
import { problemOf } from "../api/Problem.ts"

const standardRows = 20

const live: ReadonlyArray<ScheduleStatus> = ["active", "paused"]

export const PlanHandlers = HttpApiBuilder.group(Api, "plans", (handlers) =>
  handlers
    .handle("pipelines", ({ urlParams }) =>
      Effect.gen(function* () {
        const { list } = yield* Pipelines
        const { limit = standardRows, before = null } = urlParams
        const { more, pipelines } = yield* list({ status: [], limit, before })
        return { pipelines, next: more ? (pipelines.at(-1)?.seq ?? null) : null }
      }).pipe(Effect.mapError(problemOf))
    )
    .handle("pipeline", ({ path }) =>
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        return yield* pipelines.get(yield* pipelines.resolve(path.pipeline))
      }).pipe(Effect.mapError(problemOf))
    )
    .handle("schedules", ({ urlParams }) =>
      scheduleBoard({
        status: urlParams.all === "true" ? [] : live,
        limit: urlParams.limit ?? standardRows,
        before: urlParams.before ?? null
      }).pipe(Effect.mapError(problemOf))
    )
)
