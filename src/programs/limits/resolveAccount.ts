/** Finds the account that a person means: by its short name, a unique beginning of it, its key or its agent. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { fingerprintOf } from "../../domain/limits/Account.ts"
import { Limits } from "../../services/Limits.ts"

const most = 10

export const resolveAccount = Effect.fn("resolveAccount")(function* (reference: string) {
  const limits = yield* Limits
  const all = yield* limits.list
  const exact = all.filter(({ account }) => account === reference || fingerprintOf(account) === reference)
  const named = all.filter(({ agent }) => agent === reference)
  const begun = reference === "" ? [] : all.filter(({ account }) => fingerprintOf(account).startsWith(reference))
  const found = [exact, named, begun].find((some) => some.length > 0) ?? []
  const [first, ...others] = found
  if (first !== undefined && others.length === 0) return first
  const names = (first === undefined ? all : found).map(({ account, agent }) => `${agent} ${fingerprintOf(account)}`)
  const listed = `${names.slice(0, most).join(", ")}${names.length > most ? ", ..." : ""}`
  return yield* new InvalidInput({
    field: "account",
    problem:
      all.length === 0
        ? "no account is known yet: one is when a task of an agent is submitted"
        : first === undefined
          ? `'${reference}' is not an account. Known: ${listed}`
          : `'${reference}' fits several accounts: ${listed}`,
    example: null
  })
})
