/** Answers the requests about what happens. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Notice, Reset } from "../../domain/events/Notice.ts"
import { Agents } from "../../services/Agents.ts"
import { Notices } from "../../services/Notices.ts"
import { Api } from "../api/Api.ts"
import { problemOf } from "../api/Problem.ts"
import { WebSession } from "../server/WebSession.ts"
import { type ServerSent, serverSent } from "./serverSent.ts"

const encode = Schema.encodeSync(Schema.Union(Notice, Reset))

const seqOf = Schema.decodeUnknownOption(Schema.NumberFromString.pipe(Schema.int(), Schema.nonNegative()))

const eventOf = (item: Notice | Reset): ServerSent => ({
  event: item.kind,
  // What follows a reset begins at the oldest that is kept.
  id: String(item.kind === "reset" ? Math.max(0, item.oldest - 1) : item.seq),
  data: encode(item)
})

export const EventHandlers = HttpApiBuilder.group(Api, "events", (handlers) =>
  handlers
    .handle("events", ({ request, urlParams }) =>
      Effect.gen(function* () {
        const { hub } = yield* WebSession
        const notices = yield* Notices
        const bounds = yield* notices.bounds
        const last = Option.getOrUndefined(seqOf(request.headers["last-event-id"]))
        const after = last ?? urlParams.after ?? bounds.newest
        const hello: ServerSent = { event: "hello", id: String(after), data: bounds }
        return yield* serverSent(Stream.concat(Stream.succeed(hello), Stream.map(hub.after(after), eventOf)))
      }).pipe(Effect.mapError(problemOf))
    )
    .handle("server", () =>
      Effect.gen(function* () {
        const { allowRun, directory, environment, readOnly, version } = yield* WebSession
        const agents = yield* Agents
        const found = yield* agents.list(environment)
        return {
          version,
          readOnly,
          allowRun,
          directory,
          agents: found.filter(({ name }) => allowRun || name !== "shell")
        }
      }).pipe(Effect.mapError(problemOf))
    )
)
