/** An account: who is billed for an agent's requests and whose limits they count against. */
import * as Schema from "effect/Schema"

/** `vendor/kind/fingerprint`. The fingerprint is a keyed hash: nothing secret can be read from it or tested against it. */
export const AccountKey = Schema.String.pipe(
  Schema.pattern(/^[a-z0-9][a-z0-9.:_-]{0,252}\/[a-z0-9][a-z0-9.:_-]{0,252}\/[0-9a-z]{10}$/, {
    description: "vendor/kind/fingerprint, for example anthropic/login/a4tz9kq2mv"
  }),
  Schema.brand("AccountKey"),
  Schema.annotations({ identifier: "AccountKey" })
)
export type AccountKey = typeof AccountKey.Type

/** The account of a task, as it was found when the task was submitted. */
export const Account = Schema.Struct({
  key: AccountKey,
  /** The agent that showed it first: what people call it. */
  agent: Schema.NonEmptyString
}).annotations({ identifier: "Account" })
export type Account = typeof Account.Type

/** What an adapter finds. `identity` may be a secret: it is hashed with a key and never stored. */
export interface AccountIdentity {
  readonly vendor: string
  /** `key`, `token`, `login`, or the name of a host or a cloud. */
  readonly kind: string
  readonly identity: string
}

/** Characters that a part of a key may have. */
const part = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.:_-]/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 120) || "other"

/** The key, from a fingerprint of 10 characters made of `identity`. */
export const accountKey = ({ kind, vendor }: AccountIdentity, fingerprint: string): AccountKey =>
  AccountKey.make(`${part(vendor)}/${part(kind)}/${fingerprint}`)

/** What the fingerprint is made of: the same secret at two vendors is two accounts. */
export const fingerprinted = ({ identity, kind, vendor }: AccountIdentity): string =>
  [part(vendor), part(kind), identity].join("\0")

/** The short name of an account: what is typed and shown. */
export const fingerprintOf = (key: AccountKey): string => key.slice(key.lastIndexOf("/") + 1)

/** The family of models whose family is not known, such as the default model of an agent. */
export const otherFamily = "other"

/** The family of models that a separate window may limit. */
export const modelFamily = (key: AccountKey, model: string | null): string => {
  const name = (model ?? "").toLowerCase()
  const families = key.startsWith("anthropic/")
    ? ["opus", "sonnet", "haiku"]
    : key.startsWith("google/")
      ? ["flash-lite", "flash", "pro"]
      : []
  return families.find((family) => name.includes(family)) ?? otherFamily
}
