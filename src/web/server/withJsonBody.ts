/** The body of a request, checked before a route decodes it: its size, its form and its depth. */
import * as Headers from "@effect/platform/Headers"
import * as HttpMethod from "@effect/platform/HttpMethod"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { isObject } from "../../domain/isObject.ts"
import { isTooDeep, mostLevels } from "../../domain/TooDeep.ts"
import { maxBodyBytes } from "../../domain/web/BodyLimit.ts"

interface BodyRefusal {
  readonly _tag: "BodyTooLarge" | "BodyNotJson" | "BodyInvalid"
  readonly message: string
}

const tooLarge: BodyRefusal = {
  _tag: "BodyTooLarge",
  message: `The body of a request has at most ${maxBodyBytes / 1024 ** 2} MB.`
}
const notJson: BodyRefusal = {
  _tag: "BodyNotJson",
  message: "Send a JSON object, with Content-Type: application/json."
}
const invalid = (problem: string): BodyRefusal => ({
  _tag: "BodyInvalid",
  message: `The body of the request ${problem}.`
})

const parsed = (text: string): Effect.Effect<object, BodyRefusal> => {
  // Every field of some requests may be left out.
  if (text.trim() === "") return Effect.succeed({})
  return Effect.try({ try: (): unknown => JSON.parse(text), catch: () => invalid("is not JSON") }).pipe(
    Effect.flatMap((value) => {
      if (!isObject(value)) return Effect.fail(invalid("is not a JSON object"))
      return isTooDeep(value)
        ? Effect.fail(invalid(`has more than ${mostLevels} levels of lists and objects`))
        : Effect.succeed(value)
    })
  )
}

/** The request, whose `json` is the checked body. A request of a method that has no body stays as it is. */
export const withJsonBody = Effect.fn("web.withJsonBody")(function* (request: HttpServerRequest.HttpServerRequest) {
  if (!HttpMethod.hasBody(request.method)) return request
  const { "content-length": length = "0", "content-type": type = "application/json" } = request.headers
  // One without a length is cut while it is read.
  if (Number(length) > maxBodyBytes) return yield* Effect.fail(tooLarge)
  const text = yield* Effect.mapError(request.text, () => tooLarge)
  if (text !== "" && !type.toLowerCase().includes("application/json")) return yield* Effect.fail(notJson)
  const body = yield* parsed(text)
  const checked: HttpServerRequest.HttpServerRequest = Object.create(request, {
    json: { value: Effect.succeed(body) },
    headers: { value: Headers.set(request.headers, "content-type", "application/json") }
  })
  return checked
})
