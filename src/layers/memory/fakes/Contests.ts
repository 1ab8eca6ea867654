/** Contests for tests that have none. Contests themselves are tested over SQLite, whose transactions decide them. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ContestNotFound } from "../../../domain/contest/ContestErrors.ts"
import { Contests } from "../../../services/Contests.ts"

const missing = (reference: string) => Effect.fail(new ContestNotFound({ reference, candidates: [] }))

export const layerTest = Layer.succeed(Contests, {
  create: () => Effect.dieMessage("a test with contests uses the SQL layer"),
  get: missing,
  resolve: missing,
  placeOf: () => Effect.succeed(Option.none()),
  entrants: () => Effect.succeed([]),
  keptBy: () => Effect.succeed(Option.none()),
  tampered: () => Effect.void,
  cancel: missing
})
