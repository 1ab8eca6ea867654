/** Records whose keys people and agents choose: variables, labels, headers, prices. */
import * as Schema from "effect/Schema"

/** The one name that no record of this language can hold: it would be lost without a word. */
export const isName = (name: string): boolean => name !== "__proto__"

export const notName = () => "a key cannot be __proto__"

/** One of these is refused where its keys are not names; the error says which. */
export const named = <K extends string, V, E>(key: Schema.Schema<K>, value: Schema.Schema<V, E>) =>
  Schema.Record({ key: key.pipe(Schema.filter(isName, { message: notName })), value }).annotations({
    parseOptions: { onExcessProperty: "error" }
  })

/** What the record itself has under this key: not what every object has, such as `constructor`. */
export const ownOf = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
