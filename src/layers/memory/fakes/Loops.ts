/** Loops for tests that have none. Loops themselves are tested over SQLite, whose transactions carry them on. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LoopNotFound } from "../../../domain/loop/LoopErrors.ts"
import { Loops } from "../../../services/Loops.ts"

const missing = (reference: string) => Effect.fail(new LoopNotFound({ reference, candidates: [] }))

export const layerTest = Layer.succeed(Loops, {
  create: () => Effect.dieMessage("a test with loops uses the SQL layer"),
  get: missing,
  resolve: missing,
  list: () => Effect.succeed({ loops: [], more: false }),
  ofStep: () => Effect.succeed(Option.none()),
  hold: () => Effect.void,
  roundOf: () => Effect.succeed(Option.none()),
  worked: () => Effect.void,
  pause: missing,
  resume: missing,
  cancel: missing
})
