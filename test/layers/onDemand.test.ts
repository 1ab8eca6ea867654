/** Services that are made at their first use. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { onDemand, part } from "../../src/layers/OnDemand.ts"

class Base extends Context.Tag("test/Base")<Base, { readonly name: string }>() {}
class First extends Context.Tag("test/First")<First, { readonly hello: string }>() {}
class Second extends Context.Tag("test/Second")<Second, { readonly twice: () => string }>() {}

/** `Second` needs `First`, which needs `Base`; `made` records what was made, and `ended` what its scope has ended. */
const recorded = () => {
  const made: Array<string> = []
  const ended: Array<string> = []
  const first = Layer.scoped(
    First,
    Effect.gen(function* () {
      const { name } = yield* Base
      made.push("first")
      yield* Effect.addFinalizer(() => Effect.sync(() => ended.push("first")))
      return { hello: `hello ${name}` }
    })
  )
  const second = Layer.effect(
    Second,
    Effect.map(First, (service) => {
      made.push("second")
      return { twice: () => `${service.hello}, ${service.hello}` }
    })
  )
  const layer = onDemand(part(Second, second), part(First, first)).pipe(
    Layer.provide(Layer.succeed(Base, { name: "you" }))
  )
  return { ended, layer, made }
}

describe("services on demand", () => {
  it.effect("are made at the first use of a member and not before, each once", () =>
    Effect.gen(function* () {
      const { layer, made } = recorded()
      yield* Effect.provide(
        Effect.gen(function* () {
          const second = yield* Second
          assert.deepStrictEqual(made, [])
          assert.strictEqual(second.twice(), "hello you, hello you")
          assert.strictEqual((yield* First).hello, "hello you")
          assert.deepStrictEqual(made, ["second", "first"])
        }),
        layer
      )
    })
  )

  it.effect("end with the layer, if they were made", () =>
    Effect.gen(function* () {
      const used = recorded()
      yield* Effect.provide(
        Effect.map(First, ({ hello }) => hello),
        used.layer
      )
      assert.deepStrictEqual(used.ended, ["first"])
      const unused = recorded()
      yield* Effect.provide(First, unused.layer)
      assert.deepStrictEqual(unused.ended, [])
    })
  )

  it.effect("can be copied and asked for their members", () =>
    Effect.gen(function* () {
      const { layer } = recorded()
      const service = yield* Effect.provide(First, layer)
      assert.deepStrictEqual({ ...service }, { hello: "hello you" })
      assert.isTrue("hello" in service)
    })
  )
})
