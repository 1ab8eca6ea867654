/** Fingerprints that are the same in every test: of a digest without a key. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Fingerprints } from "../../../services/Fingerprints.ts"

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

export const layer = Layer.succeed(Fingerprints, {
  of: (text) =>
    Effect.map(
      Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
      (digest) =>
        Option.some(Array.from(new Uint8Array(digest).subarray(0, 10), (byte) => alphabet.charAt(byte & 31)).join(""))
    )
})
