/** The arguments that several tools share. */
import * as Schema from "effect/Schema"

/** An id, the beginning of one, or `@last`. Without a description: each list of tools would have it eight times. */
export const Reference = Schema.NonEmptyString.pipe(Schema.maxLength(64)).annotations({
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
