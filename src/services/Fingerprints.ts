/** Keyed hashes: they show whether two texts are the same, and neither text can be read from them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

export class Fingerprints extends Context.Tag("backbeat/Fingerprints")<
  Fingerprints,
  {
    /**
     * 10 characters of base 32 of the HMAC-SHA256 of the text, with a random key of this home that no other home has.
     * None where the key can be neither read nor written.
     */
    readonly of: (text: string) => Effect.Effect<Option.Option<string>>
  }
>() {}
