/** Arguments as today's clients send them: null for what is left out, and JSON text for lists and objects. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { fieldProblems, innermost } from "../../src/domain/SchemaProblems.ts"
import { Labels, Priority } from "../../src/domain/task/Task.ts"
import { whole } from "../../src/mcp/fields/Fields.ts"
import { decodeInput } from "../../src/mcp/fields/Input.ts"
import { ruleAt } from "../../src/mcp/fields/ruleAt.ts"
import { planOf } from "../../src/mcp/fields/StepFields.ts"
import { taskFields } from "../../src/mcp/fields/TaskFields.ts"

const Step = Schema.Struct({ prompt: Schema.String, after: Schema.optional(Schema.Array(Schema.String)) })
const Input = Schema.Struct({
  ids: Schema.Array(Schema.NonEmptyString).pipe(Schema.minItems(1)),
  n: Schema.optional(whole(1, 5, "")),
  priority: Schema.optional(Priority),
  labels: Schema.optional(Labels),
  env: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  note: Schema.optional(Schema.NullOr(Schema.String)),
  text: Schema.optional(Schema.String),
  steps: Schema.optional(Schema.Array(Schema.Union(Schema.String, Step)))
})
const example = { ids: ["k3v9"], n: 1, labels: { team: "web" }, steps: [{ prompt: "make" }] }
const read = decodeInput(Input, example)
const problems = (raw: unknown) => Effect.map(Effect.flip(read(raw)), (problem) => problem.problems)

describe("arguments of a tool", () => {
  it.effect("may be null where they may be left out", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* read({ ids: ["a"], n: null, priority: null, labels: null, env: null, text: null, steps: null }),
        { ids: ["a"] }
      )
      assert.deepStrictEqual(yield* read({ ids: ["a"], steps: [{ prompt: "x", after: null }] }), {
        ids: ["a"],
        steps: [{ prompt: "x" }]
      })
      assert.deepStrictEqual(yield* read({ ids: ["a"], note: null }), { ids: ["a"], note: null })
      assert.match((yield* problems({ ids: null }))[0] ?? "", /^ids: expected a list of texts, not null/)
      const task = decodeInput(Schema.Struct(taskFields), { prompt: "x" })
      const nothing = Object.fromEntries(Object.keys(taskFields).map((name) => [name, null]))
      assert.deepStrictEqual(yield* task({ ...nothing, prompt: "x" }), { prompt: "x" })
    })
  )

  it.effect("may be JSON text where lists and objects are wanted, and there alone", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* read({
          ids: '["a", "b"]',
          labels: '{"team": "web"}',
          env: ' {"A": "1"}',
          text: '["stays"]',
          steps: '["make", {"prompt": "x", "after": "[\\"y\\"]"}]'
        }),
        {
          ids: ["a", "b"],
          labels: { team: "web" },
          env: { A: "1" },
          text: '["stays"]',
          steps: ["make", { prompt: "x", after: ["y"] }]
        }
      )
      // A step may be a text: whatever that is made of.
      assert.deepStrictEqual((yield* read({ ids: ["a"], steps: ['{"prompt": "x"}'] })).steps, ['{"prompt": "x"}'])
      assert.match((yield* problems({ ids: '["a"' }))[0] ?? "", /^ids: expected a list of texts, not/)
      assert.match((yield* problems({ ids: "a" }))[0] ?? "", /^ids: expected a list of texts, not "a"/)
    })
  )

  it.effect("that are wrong are reported in words, never as a type of the source", () =>
    Effect.gen(function* () {
      for (const [raw, words] of [
        [{ ids: 7 }, "ids: expected a list of texts, not 7"],
        [{ ids: {} }, "ids: expected a list of texts, not {}"],
        [{ ids: ["a"], labels: 7 }, "labels: expected an object whose values are texts, not 7"],
        [{ ids: ["a"], labels: ["x"] }, 'labels: expected an object whose values are texts, not ["x"]'],
        [{ ids: ["a"], env: "A=1" }, 'env: expected an object whose values are texts, not "A=1"'],
        [{ ids: ["a"], labels: { team: 7 } }, "labels.team: expected string, not 7"],
        [{ ids: ["a"], steps: 1 }, "steps: expected a list of a text or an object with prompt, after, not 1"]
      ] as const) {
        const [first = ""] = yield* problems(raw)
        assert.isTrue(first.startsWith(words), first)
        assert.notMatch(first, /readonly|ReadonlyArray|\[x:/)
      }
      // The names are those of the schema: the example has only some.
      assert.deepStrictEqual(yield* problems({ ids: ["a"], steps: [{ prompt: "x", zzzzzz: 1 }] }), [
        "steps[0].zzzzzz: there is no such argument. Known: prompt, after"
      ])
      assert.deepStrictEqual(yield* problems({ ids: ["a"], labels: { "no space": "x" } }), [
        "labels.no space: keys have 1 to 64 of A-Z a-z 0-9 _ . - /"
      ])
    })
  )
})

describe("steps that need a workspace", () => {
  const step = { prompt: "x", agent: "shell" }
  const cases = [
    [{ ...step, workspace: "own" }, "steps[0].workspace: the steps work in the directory itself. "],
    [{ ...step, times: 2, best: { check: "true" } }, "steps[0].times: candidates work in workspaces. "],
    [{ ...step, loop: { until: "true" } }, "steps[0].loop: a loop works in a workspace. "]
  ] as const
  for (const [wrong, told] of cases) {
    it.effect(`are told what the tool takes: ${told}`, () =>
      Effect.gen(function* () {
        const hint = "Add 'isolate': true to the call."
        const { problem } = yield* Effect.flip(planOf({ steps: [wrong] }, "p", hint))
        assert.strictEqual(problem, told + hint)
        assert.isTrue((yield* planOf({ steps: [wrong], isolate: true }, "p", hint)).isolate)
      })
    )
  }
})

/** A field that says what it is for, next to one that does not. */
const about = { description: "What it is for" }
const Described = Schema.Struct({
  text: Schema.optional(Schema.NonEmptyString.annotations(about)),
  short: Schema.optional(Schema.NonEmptyString.pipe(Schema.maxLength(3)).annotations(about)),
  long: Schema.optional(Schema.String.pipe(Schema.minLength(3)).annotations(about)),
  list: Schema.optional(Schema.Array(Schema.String).pipe(Schema.minItems(1), Schema.maxItems(2)).annotations(about)),
  some: Schema.optional(Schema.Array(Schema.Number).annotations(about)),
  yes: Schema.optional(Schema.Boolean.annotations(about)),
  object: Schema.optional(Step.annotations(about)),
  own: Schema.optional(
    Schema.String.pipe(Schema.pattern(/^a$/, { message: () => "expected the letter a" })).annotations(about)
  )
})

describe("the rule of an argument", () => {
  for (const [value, rule] of [
    [{ text: "" }, "expected a text that is not empty"],
    [{ text: 7 }, "expected string"],
    [{ short: "" }, "expected a text that is not empty"],
    [{ short: "abcd" }, "expected a text of at most 3 characters"],
    [{ long: "a" }, "expected a text of at least 3 characters"],
    [{ list: [] }, "expected a list that is not empty"],
    [{ list: ["a", "b", "c"] }, "expected a list of at most 2"],
    [{ some: "x" }, "expected a list of numbers"],
    [{ yes: "x" }, "expected boolean"],
    [{ object: "x" }, "expected an object with prompt, after"],
    [{ own: "b" }, "expected the letter a"]
  ] as const) {
    it(`is told what is taken, not what the field is for: ${JSON.stringify(value)}`, () => {
      const read = Schema.decodeUnknownEither(Described, { errors: "all" })(value)
      const found = Either.isLeft(read) ? fieldProblems(read.left) : []
      assert.deepStrictEqual(
        innermost(found).map((problem) => ruleAt(Described.ast, problem)),
        [rule]
      )
    })
  }
})
