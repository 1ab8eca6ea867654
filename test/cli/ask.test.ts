/** `beat ask` outside of a task, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { beat, world } from "./world.ts"

const told = 'q1 is asked; answer with: beat answer q1 "..."'

/** Moves the clock until the command has ended: what it loads takes real time. */
const ended = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.gen(function* () {
    while ((yield* Fiber.poll(fiber))._tag === "None") {
      yield* TestClock.adjust("1 second")
      yield* TestServices.provideLive(Effect.sleep("5 millis"))
    }
    return yield* Fiber.join(fiber)
  })

describe("beat ask", () => {
  for (const more of [[], ["--json"]]) {
    it.effect(`says on stderr how to answer while it waits${more.map((word) => `, with ${word}`).join("")}`, () =>
      Effect.gen(function* () {
        const waiting = yield* Effect.fork(beat(["ask", "Which port?", "--wait", "5s", ...more]))
        const { code, stderr, stdout } = yield* ended(waiting)
        assert.strictEqual(code, 75)
        assert.strictEqual(stderr.split("\n")[0], told)
        assert.include(stderr, "q1 has no answer yet")
        assert.notInclude(stdout, "is asked")
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("says nothing of it where it does not wait, or the answer is there", () =>
    Effect.gen(function* () {
      const asked = yield* beat(["ask", "Which port?", "--wait", "0"])
      assert.notInclude(asked.stderr, "is asked")
      assert.strictEqual((yield* beat(["answer", "q1", "8080"])).code, 0)
      const again = yield* beat(["ask", "Which port?"])
      assert.deepStrictEqual(again, { code: 0, stdout: "8080\n", stderr: "" })
    }).pipe(Effect.provide(world()))
  )

  // The clients of agents and scripts follow what an error advises: it must not be another command.
  for (const [args, what] of [
    [["ask"], "question"],
    [["ask", " "], "question"],
    [["answer", "q1"], "answer"],
    [["answer", "q1", ""], "answer"],
    [["run", "-a", "shell"], "prompt"],
    [["edit", "@last", "--prompt", ""], "prompt"],
    [["loop", "--until", "true"], "prompt"]
  ] as const) {
    it.effect(`an empty ${what} is called by its name: ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        yield* Effect.fork(beat(["ask", "Which port?", "--wait", "0"])).pipe(Effect.flatMap(ended))
        yield* beat(["run", "-a", "shell", "--not-before", "1h", "true"])
        const { code, stderr } = yield* beat(args)
        assert.strictEqual(code, 2, stderr)
        assert.match(stderr, new RegExp(`^beat: The ${what} is empty|^beat: No ${what} was given`))
        assert.notMatch(stderr, /beat run/)
      }).pipe(Effect.provide(world()))
    )
  }
})
