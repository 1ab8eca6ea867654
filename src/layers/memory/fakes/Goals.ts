/** An empty `Goals` for tests without goals. Real goals are tested over SQLite, whose transactions enforce their bounds. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Goals } from "../../../services/Goals.ts"

export const layerTest = Layer.succeed(Goals, {
  stopOverdue: Effect.succeed([]),
  costs: () => Effect.succeed(new Map())
})
