/** A step of a loop that fails: the loop goes on, and the log has each problem once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { StorageError } from "../../src/domain/Errors.ts"
import { attempt } from "../../src/programs/retryWhileStorageFails.ts"

const logged = Effect.fnUntraced(function* (steps: ReadonlyArray<Effect.Effect<string, StorageError>>) {
  const lines: Array<string> = []
  const told = new Set<string>()
  const results = yield* Effect.forEach(steps, (step) => attempt(told, step, "left out")).pipe(
    Effect.provide(
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void lines.push(String(message)))
      )
    )
  )
  return { lines, results }
})

describe("a step of a loop", () => {
  it.effect("is left out where it meets a defect, or what never passes", () =>
    Effect.gen(function* () {
      const unfit = new StorageError({ operation: "read", reason: "unfit", path: null, cause: "a row" })
      const { lines, results } = yield* logged([
        Effect.succeed("done"),
        Effect.die(new Error("a surprise")),
        Effect.die(new Error("a surprise")),
        Effect.fail(unfit),
        Effect.succeed("done")
      ])
      assert.deepStrictEqual(results, ["done", "left out", "left out", "left out", "done"])
      assert.lengthOf(lines, 2)
      assert.include(lines[0], "a surprise")
    })
  )
})
