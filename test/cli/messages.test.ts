/** What `beat send` refuses, and what becomes the next turn: before any agent runs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Messages } from "../../src/services/Messages.ts"
import { Queue } from "../../src/services/Queue.ts"
import { completed, submitAndClaim } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

describe("beat send", () => {
  it.effect("refuses what no agent can be told, and stores nothing of it", () =>
    Effect.gen(function* () {
      const { task } = yield* submitAndClaim()
      for (const [stdin, reason] of [
        ["", "it is empty"],
        [" \n", "it is empty"],
        ["a\0b", "it contains a NUL character"],
        ["x".repeat(1024 * 1024 + 1), "it is larger than 1 MB"]
      ] as const) {
        const seen = yield* beat(["send", task.id, "-"], { stdin })
        assert.include(seen.stderr, reason)
        assert.strictEqual(seen.code, 2, reason)
      }
      const shell = yield* beat(["send", task.id, "hello"])
      assert.strictEqual(shell.code, 1)
      assert.include(shell.stderr, "--steer")
      assert.strictEqual((yield* beat(["send", "zzzzzzzzzzzz", "hello"])).code, 3)
      assert.deepStrictEqual(yield* (yield* Messages).list(task.id, 10), [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("continues the session of a task that has ended, once for an id", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const { claim, task } = yield* submitAndClaim({ agent: "claude", sessionId: "s-1" })
      yield* queue.finish(task.id, { ...completed, sessionId: "s-1" }, claim)
      const words = ["send", task.id, "one\ntwo \u2028 three", "--id", "11111111-1111-4111-8111-111111111111"]
      const first = yield* beat(words)
      assert.match(first.stdout, new RegExp(`^Next turn: [0-9a-z]{12} continues ${task.id}\n$`), first.stderr)
      assert.deepStrictEqual(yield* beat(words), first)
    }).pipe(Effect.provide(world()))
  )
})
