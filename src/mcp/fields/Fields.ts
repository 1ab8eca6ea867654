/** The arguments that several tools share. */
import * as Schema from "effect/Schema"

/** An id, the beginning of one, or `@last`. Without a description: each list of tools would have it eight times. */
export const Reference = Schema.NonEmptyString.pipe(
  // No caller reaches the bound by mistake: the lists of tools leave it out.
  Schema.maxLength(64, { jsonSchema: {} })
).annotations({
  identifier: "Reference"
})

export const References = Schema.Array(Reference).pipe(Schema.minItems(1), Schema.maxItems(100))

/** Whole numbers within bounds, with one sentence as the error. */
export const whole = (low: number, high: number, description: string) => {
  const message = () => `expected a whole number from ${low} to ${high}`
  return Schema.Number.annotations({ message }).pipe(
    Schema.int({ message }),
    Schema.between(low, high, { message, description })
  )
}

/** An argument that may be left out; the list of tools states what it is then. */
export const withDefault = <A extends string | number | boolean>(schema: Schema.Schema<A>, value: A) =>
  Schema.optionalWith(schema.annotations({ default: value }), { default: () => value })
