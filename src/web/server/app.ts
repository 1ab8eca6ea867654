/** The whole server as one function from request to response: guard, page and API. */

import * as Headers from "@effect/platform/Headers"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { metricsText } from "../../programs/metrics/metricsText.ts"
import { Api } from "../api/Api.ts"
import { openApi } from "../api/openApi.ts"
import { problemOf } from "../api/Problem.ts"
import { EventHandlers } from "../handlers/EventHandlers.ts"
import { PlanHandlers } from "../handlers/PlanHandlers.ts"
import { QuestionHandlers } from "../handlers/QuestionHandlers.ts"
import { TaskHandlers } from "../handlers/TaskHandlers.ts"
import { UsageHandlers } from "../handlers/UsageHandlers.ts"
import { Assets } from "./Assets.ts"
import { type Allowed, refusalOf } from "./Guard.ts"
import { withJsonBody } from "./withJsonBody.ts"

/**
 * Only scripts and styles of the page itself run, it talks to its own server alone, and no text becomes markup: a browser
 * with Trusted Types throws where a script tries.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

const safety = Headers.fromInput({
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store"
})

const json = (status: number, body: unknown, contentType = "application/problem+json") =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType })

const refusal = (error: { readonly _tag: string; readonly message: string }) => {
  const problem = problemOf(error)
  const answer = json(problem.status, problem)
  // The body was not read: what the client still sends must not be taken for its next request.
  return problem.status === 413 ? HttpServerResponse.setHeader(answer, "connection", "close") : answer
}

const pathOf = (url: string): string => url.split(/[?#]/, 1)[0] ?? url

/** Errors that no handler expects: invalid requests, and defects. */
const unexpected = (cause: Cause.Cause<unknown>) => {
  const error = Cause.squash(cause)
  const tag = typeof error === "object" && error !== null && "_tag" in error ? error._tag : null
  if (tag === "RouteNotFound") {
    return Effect.succeed(
      refusal({ _tag: "RouteNotFound", message: "There is no such request. See /api/v1/openapi.json" })
    )
  }
  return Effect.logError("a request failed by a bug", cause).pipe(
    Effect.as(
      refusal({
        _tag: "Bug",
        message: "This is a bug in Backbeat. The full report is where 'beat web' writes its errors."
      })
    )
  )
}

const shownIssues = 5
const shownCharacters = 300

/** The message can hold the whole value that was sent. */
const cut = (message: string): string =>
  message.length > shownCharacters ? `${message.slice(0, shownCharacters)}…` : message

/** Which field is wrong, and why. It does not say that an optional field may be left out, which would not help. */
const misfit = ({ _tag, issues }: HttpApiDecodeError) => ({
  _tag,
  message: issues
    .filter(({ message }) => !message.startsWith("Expected undefined"))
    .slice(0, shownIssues)
    .map(({ message, path }) => `${path.map(String).join(".") || "request"}: ${cut(message)}`)
    .join("\n")
})

/** The framework has its own form for values that do not fit a schema; here every error is a problem. */
const decoding = HttpApiBuilder.middleware((httpApp) =>
  Effect.catchAllCause(httpApp, (cause) => {
    const error: unknown = Cause.squash(cause)
    return error instanceof HttpApiDecodeError ? Effect.succeed(refusal(misfit(error))) : Effect.failCause(cause)
  })
)

const api = HttpApiBuilder.api(Api).pipe(
  Layer.provide([TaskHandlers, EventHandlers, QuestionHandlers, UsageHandlers, PlanHandlers])
)

/** What `beat metrics` prints, for a monitoring system that asks. */
const metrics = metricsText().pipe(
  Effect.map((text) => HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })),
  Effect.catchTag("StorageError", (error) => Effect.succeed(refusal(error)))
)

/** The path that Prometheus asks by default. */
const metricsPath = "/metrics"

/** Answers every request; `seen` is called for each request that passes the guard. */
export const app = Effect.fn("web.app")(function* (allowed: Allowed, seen: Effect.Effect<void>) {
  const assets = yield* Assets
  const document = JSON.stringify(openApi)
  const services = yield* Effect.context<Effect.Effect.Context<typeof metrics>>()
  const context = yield* Layer.build(
    Layer.mergeAll(Layer.merge(api, decoding), HttpServer.layerContext).pipe(
      Layer.provideMerge(Layer.merge(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer))
    )
  )
  const handled = yield* Effect.provide(HttpApiBuilder.httpApp, context)
  const answer: HttpApp.Default = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { headers, method } = request
    const path = pathOf(request.url)
    const asset = Object.hasOwn(assets, path) ? assets[path] : undefined
    const refused = refusalOf(
      {
        method,
        isAsset: asset !== undefined,
        host: headers.host,
        origin: headers.origin,
        site: headers["sec-fetch-site"],
        authorization: headers.authorization
      },
      allowed
    )
    if (refused !== null) return refusal(refused)
    yield* seen
    const isRead = method === "GET" || method === "HEAD"
    if (asset !== undefined && isRead) {
      return HttpServerResponse.text(asset.body, { contentType: asset.type })
    }
    if (path === "/api/v1/openapi.json") return HttpServerResponse.text(document, { contentType: "application/json" })
    if (path === metricsPath && isRead) return yield* Effect.provide(metrics, services)
    return yield* withJsonBody(request).pipe(
      Effect.matchEffect({
        onFailure: (refused) => Effect.succeed(refusal(refused)),
        onSuccess: (checked) =>
          Effect.provide(handled, Context.add(context, HttpServerRequest.HttpServerRequest, checked))
      })
    )
  }).pipe(
    Effect.catchAllCause((cause) => (Cause.isInterruptedOnly(cause) ? Effect.failCause(cause) : unexpected(cause))),
    Effect.orDie,
    Effect.map((response) => HttpServerResponse.setHeaders(response, safety))
  )
  return answer
})
