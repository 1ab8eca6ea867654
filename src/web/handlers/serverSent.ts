/** Server-sent events: a stream that says something every few seconds, so that both ends notice when the other is gone. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { WebSession } from "../server/WebSession.ts"

export interface ServerSent {
  readonly event: string
  readonly id: string | null
  readonly data: unknown
}

const beatEvery = "15 seconds"

/** Encoded JSON has no line breaks, so one `data` line holds it. */
const write = ({ data, event, id }: ServerSent): string =>
  `${id === null ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** A failure ends the stream, and its reader asks again for what follows the last id that it has. */
export const serverSent = <E, R>(events: Stream.Stream<ServerSent, E, R>) =>
  Effect.map(Effect.context<R | WebSession>(), (context) => {
    const { clients } = Context.get(context, WebSession)
    const counted = Effect.as(
      Effect.acquireRelease(clients.enter, () => clients.leave),
      events
    )
    const beats = Stream.repeatValue(": beat\n\n").pipe(Stream.schedule(Schedule.spaced(beatEvery)))
    const text = Stream.unwrapScoped(counted).pipe(
      Stream.map(write),
      Stream.merge(beats, { haltStrategy: "left" }),
      Stream.tapErrorCause((cause) => Effect.logDebug("a stream of events has ended", cause)),
      Stream.encodeText,
      Stream.provideContext(context)
    )
    return HttpServerResponse.stream(text, { contentType: "text/event-stream", headers: { "x-accel-buffering": "no" } })
  })
