/** Quick codecs give what the schema gives, for values that fit, for damaged ones and for fallbacks. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { decoderOf, encoderOf } from "../../src/domain/SchemaCodecs.ts"
import { Schedule } from "../../src/domain/schedule/Schedule.ts"
import { SettingsFile } from "../../src/domain/settings/Settings.ts"
import * as Rows from "../../src/layers/sql/tasks/Rows.ts"
import { TaskReport } from "../../src/programs/reports/taskReport.ts"

const shapes: ReadonlyArray<readonly [string, Schema.Schema.AnyNoContext]> = [
  ...Object.entries(Rows).flatMap(([name, row]) =>
    Schema.isSchema(row) ? [[name, row as Schema.Schema.AnyNoContext] as const] : []
  ),
  ["TaskReport", TaskReport],
  ["Schedule", Schedule],
  ["SettingsFile", SettingsFile],
  ["a list of tasks", Schema.Array(Rows.TaskRow)],
  ["a tuple", Schema.Tuple(Schema.String, Schema.optionalElement(Schema.Int))],
  [
    "a union of structs",
    Schema.Union(Schema.Struct({ a: Schema.String }), Schema.Struct({ a: Schema.String, b: Schema.Int }))
  ],
  ["an optional field with a default", Schema.Struct({ a: Schema.optionalWith(Schema.Int, { default: () => 1 }) })],
  [
    "a fallback within a union",
    Schema.NullOr(Schema.String.annotations({ decodingFallback: () => Effect.succeed("none") }))
  ],
  [
    "null that is another value",
    Schema.NullOr(
      Schema.transform(Schema.NullOr(Schema.String), Schema.String, {
        strict: true,
        decode: (text) => text ?? "none",
        encode: (text) => text
      })
    )
  ],
  ["a record", Schema.Record({ key: Schema.String, value: Schema.NullOr(Schema.Int) })]
]

const odd: FastCheck.Arbitrary<unknown> = FastCheck.oneof(
  FastCheck.constantFrom<unknown>(null, undefined, "", "null", "{}", "[]", -1, 0.5, Number.NaN, true, [], {}, 1n),
  FastCheck.string(),
  FastCheck.integer(),
  FastCheck.jsonValue()
)

/** What `of` makes of a value, as it is, and now and then with a field that is damaged, missing or unknown. */
const damaged = (shape: Schema.Schema.AnyNoContext, of: (value: unknown) => unknown) =>
  FastCheck.tuple(Arbitrary.make(Schema.typeSchema(shape)), FastCheck.nat(3), FastCheck.nat(), odd).map(
    ([value, kind, at, other]) => {
      const row = of(value)
      if (kind === 0) return row
      if (typeof row !== "object" || row === null || Array.isArray(row)) return kind === 1 ? row : other
      const names = Object.keys(row)
      const name = names[at % Math.max(1, names.length)] ?? "none"
      if (kind === 1) return { ...row, unknown: other }
      if (kind === 2) return { ...row, [name]: other }
      return Object.fromEntries(Object.entries(row).filter(([one]) => one !== name))
    }
  )

const assertSame = (got: Either.Either<unknown, unknown>, wanted: Either.Either<unknown, unknown>) => {
  assert.strictEqual(got._tag, wanted._tag)
  if (Either.isRight(wanted)) assert.deepStrictEqual(Either.getOrThrow(got), wanted.right)
  else assert.strictEqual(String(Either.isLeft(got) ? got.left : ""), String(wanted.left))
}

describe("SchemaCodecs", () => {
  for (const [name, shape] of shapes) {
    it(`decode ${name} as its schema does`, () => {
      const quick = decoderOf(shape)
      const slow = Schema.decodeUnknownEither(shape)
      FastCheck.assert(
        FastCheck.property(damaged(shape, Schema.encodeSync(shape)), (row) =>
          assertSame(Effect.runSync(Effect.either(quick(row))), slow(row))
        ),
        { numRuns: 300 }
      )
    })

    it(`encode ${name} as its schema does`, () => {
      const quick = encoderOf(shape)
      const slow = Schema.encodeUnknownEither(shape)
      FastCheck.assert(
        FastCheck.property(
          damaged(shape, (value) => value),
          (value) => assertSame(Effect.runSync(Effect.either(quick(value))), slow(value))
        ),
        { numRuns: 100 }
      )
    })
  }
})
