/** What errors say of a value or a key that a schema refuses, whatever the schema wraps it in. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { named } from "../../src/domain/Named.ts"
import { keyProblem } from "../../src/domain/SchemaPlaces.ts"
import { fieldProblems, innermost } from "../../src/domain/SchemaProblems.ts"
import { Labels } from "../../src/domain/task/Task.ts"

const Inner = Schema.Struct({ prompt: Schema.NonEmptyString, labels: Schema.optional(Labels) })
const Whole = Schema.Struct({
  list: Schema.optional(Schema.Array(Schema.Union(Schema.String, Inner)).pipe(Schema.minItems(1), Schema.maxItems(2))),
  withDefault: Schema.optionalWith(Inner, { default: () => ({ prompt: "x" }) }),
  lazily: Schema.optional(Schema.suspend(() => Inner)),
  free: Schema.optional(Schema.NullOr(named(Schema.NonEmptyString, Schema.String)))
})

const strictly = { errors: "all", onExcessProperty: "error" } as const
const problemsOf = <A, I>(schema: Schema.Schema<A, I>, value: unknown) => {
  const read = Schema.decodeUnknownEither(schema, strictly)(value)
  return Either.isLeft(read) ? innermost(fieldProblems(read.left)) : []
}

describe("a key that is refused", () => {
  const inner = ["prompt", "labels"]
  const label = "keys have 1 to 64 of A-Z a-z 0-9 _ . - /"
  for (const [value, path, expected] of [
    [{ other: 1 }, ["other"], { names: ["list", "withDefault", "lazily", "free"] }],
    [{ list: ["x", { prompt: "x", other: 1 }] }, ["list", 1, "other"], { names: inner }],
    [{ withDefault: { prompt: "x", other: 1 } }, ["withDefault", "other"], { names: inner }],
    [{ lazily: { prompt: "x", other: 1 } }, ["lazily", "other"], { names: inner }],
    [{ lazily: { prompt: "x", labels: { "a b": "x" } } }, ["lazily", "labels", "a b"], { rule: label }],
    [{ list: [{ prompt: "x", labels: { "": "x" } }] }, ["list", 0, "labels", ""], { rule: label }],
    [{ free: { "": "x" } }, ["free", ""], { rule: "a key has to be a non empty string" }],
    [{ free: JSON.parse('{"__proto__": "x"}') }, ["free", "__proto__"], { rule: "a key cannot be __proto__" }]
  ] as const) {
    it(`is judged by the object that holds it: ${path.join(" ")}`, () => {
      // Nothing else is named: not the list or object around the key.
      assert.deepStrictEqual(
        problemsOf(Whole, value).map(({ kind, path }) => ({ kind, path })),
        [{ kind: "unexpected", path: [...path] }]
      )
      assert.deepStrictEqual(keyProblem(Whole.ast, path), expected)
    })
  }
})

describe("a value that is refused", () => {
  it("is named with what is outside of it only where that breaks a rule too", () => {
    const Most = Schema.Struct({
      labels: Schema.optional(Labels),
      list: Schema.Array(Schema.Number).pipe(Schema.filter((list) => list.length < 2 || "at most one"))
    })
    const names = (value: unknown) => problemsOf(Most, value).map(({ name }) => name)
    assert.deepStrictEqual(names({ labels: { a: 1 }, list: [] }), ["labels.a"])
    assert.deepStrictEqual(names({ labels: 1, list: [] }), ["labels"])
    assert.deepStrictEqual(names({ list: [1, 2] }), ["list"])
    assert.deepStrictEqual(names({ list: ["x", 2] }), ["list[0]"])
  })
})
