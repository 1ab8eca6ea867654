/** What recorded runs of agents used, and what that costs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { verdictOf } from "../../../src/layers/agents/AgentsJudging.ts"
import * as Prices from "../../../src/layers/usage/Prices.ts"
import { spendingOf } from "../../../src/programs/usage/spendingOf.ts"
import { agentOf, evidence } from "../../layers/agents/Samples.ts"

const own = { "my-model": { input: 1, output: 2 } }

const spent = (sample: string, model: string | null = null) =>
  spendingOf({ agent: agentOf(sample).name, model }, verdictOf(agentOf(sample).name, evidence(sample)), own).pipe(
    Effect.provide(Prices.layer)
  )

/** The first use in short: model, input, output, cached, millionths of a dollar, and where they come from. */
const first = (sample: string, model: string | null = null) =>
  Effect.map(spent(sample, model), (spending) => {
    const [use] = spending?.uses ?? []
    if (use === undefined) return null
    return [use.model, use.inputTokens, use.outputTokens, use.cacheReadTokens, use.costMicro, use.costBy]
  })

describe("what a run used", () => {
  it.effect("is what the agent reports, with its own cost", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* first("claude6--limit-midrun"), [
        "claude-opus-4-6",
        19_718,
        20,
        0,
        99_090,
        "reported"
      ])
      assert.deepStrictEqual(yield* first("pi--pi-json"), ["fake-1", 1194, 13, 0, 3777, "reported"])
    })
  )

  it.effect("is this run's alone where a resumed Claude tells it", () =>
    Effect.gen(function* () {
      const spending = yield* spent("claude--resumed")
      assert.strictEqual(spending?.cumulative, false)
      assert.deepStrictEqual(
        spending?.uses.map(({ inputTokens, model }) => [model, inputTokens]),
        [["claude-opus-4-6", 9707]]
      )
    })
  )

  it.effect("is computed from list prices where the agent tells no cost", () =>
    Effect.gen(function* () {
      // 12024 tokens at 1.25 and 18 at 10 dollars for a million.
      assert.deepStrictEqual(yield* first("gemini3--limit-midrun"), [
        "gemini-2.5-pro",
        12_024,
        18,
        0,
        15_210,
        "estimated"
      ])
      const codex = yield* spent("codex2--s-resume", "gpt-5-codex")
      assert.deepStrictEqual([codex?.cumulative, codex?.uses[0]?.costMicro], [true, 16_811])
    })
  )

  it.effect("is computed from the settings' price before that of the table", () =>
    Effect.gen(function* () {
      const found = yield* first("codex2--s-resume", "my-model")
      assert.deepStrictEqual(found, ["my-model", 13_417, 4, 0, 13_425, "estimated"])
    })
  )

  it.effect("has no cost where the model or its price is not known", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* first("codex2--s-resume"), ["", 13_417, 4, 0, null, "unpriced"])
      assert.deepStrictEqual(yield* first("qwen--qwen-json", "no-such-model"), [
        "no-such-model",
        19_020,
        13,
        0,
        null,
        "unpriced"
      ])
    })
  )

  it.effect("is a run without numbers where the agent told none, and none for a shell", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* first("codex3--limit-reached"), ["", 0, 0, 0, null, "unreported"])
      const shell = { sessionId: null, usage: null }
      assert.isNull(yield* spendingOf({ agent: "shell", model: null }, shell, own))
    })
  )
})
