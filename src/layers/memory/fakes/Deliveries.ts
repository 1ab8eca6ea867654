/** An empty `Deliveries` for tests without deliveries. The real one makes them from notices and is tested over SQLite. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Deliveries } from "../../../services/Deliveries.ts"

export const layerTest = Layer.succeed(Deliveries, {
  decide: () => Effect.succeed(false),
  known: Effect.succeed([]),
  forget: () => Effect.void,
  claim: () => Effect.succeed(Option.none()),
  settle: () => Effect.succeed(false),
  taken: Effect.succeed([]),
  release: () => Effect.succeed(false),
  putRight: Effect.void,
  nextDue: () => Effect.succeed(Option.none()),
  list: () => Effect.succeed([]),
  redeliver: () => Effect.succeed(Option.none()),
  counts: () => Effect.succeed([])
})
