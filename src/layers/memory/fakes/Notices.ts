/** An empty `Notices` for tests without notices. Triggers write the real record, which is tested over SQLite. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Notices } from "../../../services/Notices.ts"

export const layerTest = Layer.succeed(Notices, {
  after: () => Effect.succeed([]),
  bounds: Effect.succeed({ oldest: 1, newest: 0 })
})
