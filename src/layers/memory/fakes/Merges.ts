/** Records of merges for tests that have none. The records themselves are tested over SQLite. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Merges } from "../../../services/Merges.ts"

export const layerTest = Layer.succeed(Merges, {
  open: () => Effect.succeed(Option.none()),
  allOpen: Effect.succeed([]),
  begin: () => Effect.succeed(true),
  change: () => Effect.succeed(true),
  get: () => Effect.succeed(Option.none()),
  ofTask: () => Effect.succeed([])
})
