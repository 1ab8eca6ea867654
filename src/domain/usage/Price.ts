/** List prices of models, and what tokens cost by them. */
import * as Schema from "effect/Schema"
import { named } from "../Named.ts"
import type { TokenCounts } from "./TokenCounts.ts"

const usd = Schema.Number.pipe(Schema.between(0, 100_000))

/** US dollars for a million tokens. */
export const Rates = Schema.Struct({
  input: usd,
  output: usd,
  /** Default: as input. */
  cacheRead: Schema.optional(usd),
  /** Default: as input. */
  cacheWrite: Schema.optional(usd)
}).annotations({ identifier: "Rates" })
export type Rates = typeof Rates.Type

const modelRule = () => "the name of a model has 1 to 120 characters"

/** Prices by the name of the model as tasks and agents write it. */
export const Prices = named(
  Schema.String.pipe(Schema.minLength(1, { message: modelRule }), Schema.maxLength(120, { message: modelRule })),
  Rates
)
export type Prices = typeof Prices.Type

/** In millionths of a US dollar: dollars for a million tokens are millionths of a dollar for one. At most what a whole number holds. */
export const costMicro = (counts: TokenCounts, rates: Rates): number => {
  const sum =
    counts.inputTokens * rates.input +
    counts.outputTokens * rates.output +
    counts.cacheReadTokens * (rates.cacheRead ?? rates.input) +
    counts.cacheWriteTokens * (rates.cacheWrite ?? rates.input)
  return Math.min(Number.MAX_SAFE_INTEGER, Math.round(sum))
}
