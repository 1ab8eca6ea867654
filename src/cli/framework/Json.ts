/** `--json`: exactly one document on stdout, the encoded value of a schema. Errors are a document on stdout too. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { escapeControls } from "../../text/Sanitize.ts"
import { Terminal } from "./Terminal.ts"

/** What `--json` prints instead of a result when a command fails; the exit code matches. */
export const JsonError = Schema.Struct({
  error: Schema.Struct({ code: Schema.String, message: Schema.String, exitCode: Schema.Int })
}).annotations({ identifier: "JsonError" })

/** Prints a value as its schema encodes it: indented for a person, on one line for a program. */
export const printJson = <A, I>(schema: Schema.Schema<A, I>, value: A): Effect.Effect<void, never, Terminal> =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    // A value of Backbeat that does not match its own schema is a defect.
    const encoded = yield* Schema.encode(schema)(value).pipe(Effect.orDie)
    yield* terminal.print(escapeControls(JSON.stringify(encoded, null, terminal.stdout.tty ? 2 : undefined)))
  })
