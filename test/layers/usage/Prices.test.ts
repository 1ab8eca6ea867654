/** The table of list prices: what its package says, under every name that agents print. */
import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer } from "../../../src/layers/usage/Prices.ts"
import { Prices } from "../../../src/services/Prices.ts"

const rates = (model: string) => Effect.flatMap(Prices, (prices) => prices.of(model)).pipe(Effect.provide(layer))

describe("list prices", () => {
  it.effect("are found by the names that agents print", () =>
    Effect.gen(function* () {
      const opus = yield* rates("claude-opus-4-6")
      assert.deepStrictEqual(opus, { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 })
      for (const name of ["anthropic/claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6[1m]"]) {
        assert.deepStrictEqual(yield* rates(name), opus, name)
      }
      assert.deepStrictEqual(yield* rates("gpt-5-codex"), { input: 1.25, output: 10, cacheRead: 0.125 })
      assert.strictEqual((yield* rates("gemini-2.5-pro"))?.input, 1.25)
      for (const name of ["", "default", "fake-1", "my-gpt-5"]) assert.isNull(yield* rates(name), name)
    })
  )

  it("are those of the installed package for every model that it names", () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, ["build/prices.mjs", "--check"], {
      encoding: "utf8"
    })
    assert.strictEqual(status, 0, stderr)
    assert.isAtLeast(Number(/^(\d+) prices compared/.exec(stdout)?.[1]), 100)
  })
})
