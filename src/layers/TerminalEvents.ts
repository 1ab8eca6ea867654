/** Fan-out of terminal states by a sliding PubSub: a slow subscriber loses the oldest events and delays no fiber. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { TerminalEvent } from "../domain/task/TerminalEvent.ts"
import { TerminalEvents } from "../services/TerminalEvents.ts"

/** How many events a subscriber may lag before it loses some. */
const backlog = 256

/** Never shut down: publishing to a PubSub that was would interrupt the publisher, who has just committed. */
export const layer = Layer.effect(
  TerminalEvents,
  Effect.map(PubSub.sliding<TerminalEvent>(backlog), (pubsub) =>
    TerminalEvents.of({
      publish: (event) => Effect.asVoid(PubSub.publish(pubsub, event)),
      subscribe: Stream.fromPubSub(pubsub, { scoped: true })
    })
  )
)
