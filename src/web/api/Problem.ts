/** What a request that failed is answered with: RFC 9457, with the name of the error and the exit code `beat` would have had. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ExitCode, exitCodeOfError } from "../../cli/framework/ExitCode.ts"

const problem = <Status extends number>(status: Status, description: string) =>
  Schema.Struct({
    /** No page describes the error further: `code` names it. */
    type: Schema.Literal("about:blank"),
    title: Schema.String,
    status: Schema.Literal(status),
    /** What happened, to what, and what to do next. */
    detail: Schema.String,
    /** The name of the error, e.g. `TaskNotFound`. */
    code: Schema.String,
    exitCode: Schema.Int
  })
    .pipe(HttpApiSchema.withEncoding({ kind: "Json", contentType: "application/problem+json" }))
    .annotations(HttpApiSchema.annotations({ status, description }))

export const Invalid = problem(400, "The request is not acceptable: nothing was changed")
export const Unauthorized = problem(401, "The token is missing or wrong")
export const Refused = problem(403, "This server does not do that")
export const Missing = problem(404, "There is no such thing")
export const Conflict = problem(409, "Its state does not allow that now")
export const TooLarge = problem(413, "The body of the request is too large")
export const Unsupported = problem(415, "The body of the request is not sent as JSON")
export const Misdirected = problem(421, "The request names another host than this server's own")
export const Unable = problem(422, "It could not be done")
export const Broken = problem(500, "A defect of Backbeat itself")
export const Unavailable = problem(503, "The store or a worker is not available")

const problems = {
  Broken,
  Conflict,
  Invalid,
  Misdirected,
  Missing,
  Refused,
  TooLarge,
  Unable,
  Unauthorized,
  Unavailable,
  Unsupported
}

const titles = {
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  409: "Conflict",
  413: "Content too large",
  415: "Unsupported media type",
  421: "Misdirected request",
  422: "Unprocessable content",
  500: "Internal error",
  503: "Unavailable"
} as const

type ProblemStatus = keyof typeof titles

type Problem = (typeof problems)[keyof typeof problems]["Type"]

const make = <Status extends ProblemStatus>(status: Status, code: string, detail: string, exitCode: ExitCode) => ({
  type: "about:blank" as const,
  title: titles[status],
  status,
  detail,
  code,
  exitCode
})

/** Those that do not follow from the exit code. */
const statuses: Readonly<Record<string, ProblemStatus>> = {
  InvalidInput: 400,
  AgentUnknown: 400,
  NoDefaultAgent: 400,
  DependencyInvalid: 400,
  NotIsolable: 400,
  HttpApiDecodeError: 400,
  BodyInvalid: 400,
  Unauthorized: 401,
  OutsideTask: 403,
  ReadOnly: 403,
  RunNotAllowed: 403,
  ForeignOrigin: 403,
  RouteNotFound: 404,
  TaskStateConflict: 409,
  IdempotencyConflict: 409,
  ScheduleStateConflict: 409,
  QuestionClosed: 409,
  BodyTooLarge: 413,
  BodyNotJson: 415,
  ForeignHost: 421,
  Bug: 500,
  StorageError: 503,
  WorkerUnavailable: 503
}

/** The answer to an error of any program: one that names what is not there is 404, any other without a status is "could not be done". */
export const problemOf = (error: { readonly _tag: string; readonly message: string }): Problem => {
  const { _tag, message } = error
  const exitCode = exitCodeOfError(error)
  const status = statuses[_tag] ?? (exitCode === ExitCode.notFound ? 404 : 422)
  switch (status) {
    case 400:
      return make(400, _tag, message, 2)
    case 401:
      return make(401, _tag, message, exitCode)
    case 403:
      return make(403, _tag, message, exitCode)
    case 404:
      return make(404, _tag, message, 3)
    case 409:
      return make(409, _tag, message, exitCode)
    case 413:
      return make(413, _tag, message, 2)
    case 415:
      return make(415, _tag, message, 2)
    case 421:
      return make(421, _tag, message, exitCode)
    case 422:
      return make(422, _tag, message, exitCode)
    case 500:
      return make(500, _tag, message, 70)
    case 503:
      return make(503, _tag, message, exitCode)
  }
}
