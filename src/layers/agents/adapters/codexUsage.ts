/** The tokens of a Codex session as its events and its records count them: over the whole session. */
import type { Verdict } from "../../../domain/task/Agent.ts"
import { modelUse, withoutCached } from "../../../domain/usage/ModelUse.ts"

interface Counts {
  readonly input_tokens?: number | undefined
  /** A part of the input. */
  readonly cached_input_tokens?: number | undefined
  readonly cache_write_input_tokens?: number | undefined
  readonly output_tokens?: number | undefined
}

export const codexUsage = (counts: Counts): Pick<Verdict, "usage" | "uses"> => ({
  usage: {
    inputTokens: counts.input_tokens ?? null,
    outputTokens: counts.output_tokens ?? null,
    cacheReadTokens: counts.cached_input_tokens ?? null,
    cacheWriteTokens: counts.cache_write_input_tokens ?? null,
    costUsd: null,
    cumulative: true
  },
  uses: [
    modelUse(null, {
      inputTokens: withoutCached(counts.input_tokens, counts.cached_input_tokens),
      outputTokens: counts.output_tokens,
      cacheReadTokens: counts.cached_input_tokens,
      cacheWriteTokens: counts.cache_write_input_tokens
    })
  ]
})
