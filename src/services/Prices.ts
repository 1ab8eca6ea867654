/** The list prices of models. No network is used: the table comes with the program. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Rates } from "../domain/usage/Price.ts"

interface PricesService {
  /** Null where the model is not in the table. */
  readonly of: (model: string) => Effect.Effect<Rates | null>
}

/** Where no table is provided, no price is known. */
export class Prices extends Context.Reference<Prices>()("backbeat/Prices", {
  defaultValue: (): PricesService => ({ of: () => Effect.succeed(null) })
}) {}
