/** What a worker does about limits now and then: it asks where asking is free, keeps what is reserved, works out when spare tasks may start, gives tasks to their fallbacks, and removes pauses that are over. */
import * as Effect from "effect/Effect"
import type { Settings } from "../../domain/settings/Settings.ts"
import { Gates } from "../../services/Gates.ts"
import { Limits } from "../../services/Limits.ts"
import { makeAskLimits } from "./AskLimits.ts"
import { keepReserves } from "./keepReserves.ts"
import { makeMoveToFallback } from "./moveToFallback.ts"

const tidyGates = Effect.flatMap(Gates, (gates) => gates.tidy)

const renewSpare = Effect.flatMap(Limits, (limits) => limits.renewSpare)

export const makeUpkeep = () => {
  const ask = makeAskLimits()
  const moveToFallback = makeMoveToFallback()
  return (settings: Settings) =>
    Effect.all([tidyGates, ask(), keepReserves(settings), renewSpare, moveToFallback()], { discard: true })
}
