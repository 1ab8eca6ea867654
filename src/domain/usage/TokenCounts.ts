/** Counts of tokens, apart by their price. */
import * as Schema from "effect/Schema"

const Tokens = Schema.Int.pipe(Schema.nonNegative())

/** Tokens by their price: the three kinds of input do not overlap. */
export const TokenCounts = Schema.Struct({
  inputTokens: Tokens,
  outputTokens: Tokens,
  cacheReadTokens: Tokens,
  cacheWriteTokens: Tokens
})
export type TokenCounts = typeof TokenCounts.Type

export const noTokens: TokenCounts = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
