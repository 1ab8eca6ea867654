/** Answers the requests about tasks. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { workChanges } from "../../programs/merges/workChanges.ts"
import { linesAfter, linesBefore } from "../../programs/output/LinePages.ts"
import { board } from "../../programs/reports/board.ts"
import { taskPage } from "../../programs/reports/taskPage.ts"
import { taskReport } from "../../programs/reports/taskReport.ts"
import { resume } from "../../programs/tasks/resume.ts"
import { retry } from "../../programs/tasks/retry.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { why } from "../../programs/why/why.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Api } from "../api/Api.ts"
import { problemOf } from "../api/Problem.ts"
import { WebSession } from "../server/WebSession.ts"
import { cancelTask } from "./cancelTask.ts"
import { filters } from "./filters.ts"
import { type ServerSent, serverSent } from "./serverSent.ts"
import { submitTask, submittedOf, unlessShell } from "./submitTask.ts"

const mostFiles = 1000
const mostPatch = 1024 * 1024
const standardLines = 1000
const standardTasks = 20

const resolve = (reference: string) => Effect.flatMap(Tasks, (tasks) => tasks.resolve(reference))

const changes = (reference: string, against: string | undefined) =>
  workChanges(reference, against, { files: mostFiles, bytes: mostPatch })

const follow = Effect.fn("web.follow")(function* (reference: string, after: string) {
  const id = yield* resolve(reference)
  const lines = Stream.map(
    linesAfter(id, after),
    (found): ServerSent => ({
      event: "lines",
      id: found.after,
      data: found.lines
    })
  )
  const end: ServerSent = { event: "end", id: null, data: {} }
  return yield* serverSent(Stream.concat(lines, Stream.succeed(end)))
})

const again = Effect.fn("web.again")(function* (
  reference: string,
  how: { readonly context: string | null; readonly fresh: boolean } | "retry"
) {
  const { environment } = yield* WebSession
  const tasks = yield* Tasks
  const id = yield* tasks.resolve(reference)
  const submitter = submitterOf(environment)
  // A script that runs again is a shell command too.
  const result = yield* Effect.uninterruptible(
    unlessShell(how === "retry" ? retry(id, submitter) : resume(id, how, submitter))
  )
  return yield* submittedOf(result)
})

export const TaskHandlers = HttpApiBuilder.group(Api, "tasks", (handlers) =>
  handlers
    .handle("board", ({ urlParams }) => Effect.flatMap(filters(urlParams), board).pipe(Effect.mapError(problemOf)))
    .handle("list", ({ urlParams }) =>
      Effect.gen(function* () {
        const filter = yield* filters(urlParams)
        return yield* taskPage({
          ...filter,
          status: urlParams.status ?? [],
          parentId: urlParams.parent === undefined ? null : yield* resolve(urlParams.parent),
          limit: urlParams.limit ?? standardTasks,
          before: urlParams.before ?? null
        })
      }).pipe(Effect.mapError(problemOf))
    )
    .handle("submit", ({ headers, payload }) =>
      submitTask(payload, headers["idempotency-key"]).pipe(Effect.mapError(problemOf))
    )
    .handle("get", ({ path }) => taskReport(path.id).pipe(Effect.mapError(problemOf)))
    .handle("why", ({ path }) => why(path.id).pipe(Effect.mapError(problemOf)))
    .handle("output", ({ path, urlParams }) =>
      Effect.flatMap(resolve(path.id), (id) =>
        linesBefore(id, { before: urlParams.before ?? null, lines: urlParams.lines ?? standardLines })
      ).pipe(Effect.mapError(problemOf))
    )
    .handle("follow", ({ path, request, urlParams }) =>
      follow(path.id, request.headers["last-event-id"] ?? urlParams.after).pipe(Effect.mapError(problemOf))
    )
    .handle("diff", ({ path, urlParams }) => changes(path.id, urlParams.against).pipe(Effect.mapError(problemOf)))
    .handle("cancel", ({ path, payload }) => cancelTask(path.id, payload).pipe(Effect.mapError(problemOf)))
    .handle("retry", ({ path }) => again(path.id, "retry").pipe(Effect.mapError(problemOf)))
    .handle("resume", ({ path, payload }) =>
      again(path.id, { context: payload.context ?? null, fresh: payload.fresh ?? false }).pipe(
        Effect.mapError(problemOf)
      )
    )
)
