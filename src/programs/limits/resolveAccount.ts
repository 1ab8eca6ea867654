/** Finds the account that a person means: by its short name, a unique beginning of it, its key or its agent. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { fingerprintOf } from "../../domain/limits/Account.ts"
import type { AccountLimits } from "../../domain/limits/AccountLimits.ts"
import { yours } from "../../domain/limits/Window.ts"
import { Limits } from "../../services/Limits.ts"
import { canBeAsked } from "./AskLimits.ts"

const most = 10

const isClosed = ({ opensAt, windows }: AccountLimits, now: number): boolean =>
  opensAt !== null || windows.some(({ closed, resetsAt }) => closed && (resetsAt ?? 0) > now)

const isClosedByHand = ({ windows }: AccountLimits, now: number): boolean =>
  windows.some(({ closed, name, resetsAt }) => name === yours && closed && (resetsAt ?? 0) > now)

/** What is done to the account, by what the command can change: of several accounts, the only one of these is meant. */
const changes = {
  open: isClosed,
  close: (account: AccountLimits, now: number) => !isClosedByHand(account, now),
  ask: canBeAsked,
  join: ({ joinedTo }: AccountLimits) => joinedTo === null,
  split: ({ joinedTo }: AccountLimits) => joinedTo !== null
} as const

type Purpose = keyof typeof changes

/** Among joined accounts, the one whose windows count: here they are one account. */
const withoutJoined = (found: ReadonlyArray<AccountLimits>): ReadonlyArray<AccountLimits> => {
  const keys = new Set(found.map(({ account }) => account))
  return found.filter(({ joinedTo }) => joinedTo === null || !keys.has(joinedTo))
}

export const resolveAccount = Effect.fn("resolveAccount")(function* (reference: string, purpose: Purpose) {
  const limits = yield* Limits
  const now = yield* Clock.currentTimeMillis
  const all = yield* limits.list
  const exact = all.filter(({ account }) => account === reference || fingerprintOf(account) === reference)
  const named = all.filter(({ agent }) => agent === reference)
  const begun = reference === "" ? [] : all.filter(({ account }) => fingerprintOf(account).startsWith(reference))
  const fitting = [exact, named, begun].find((some) => some.length > 0) ?? []
  const found = purpose === "open" || purpose === "close" ? withoutJoined(fitting) : fitting
  const able = found.filter((account) => changes[purpose](account, now))
  const [only, ...further] = found.length > 1 ? able : found
  if (only !== undefined && further.length === 0) return only
  const shown = fitting.length === 0 ? all : found
  const names = shown.map((one) => `${one.agent} ${fingerprintOf(one.account)}${isClosed(one, now) ? " (closed)" : ""}`)
  const listed = `${names.slice(0, most).join(", ")}${names.length > most ? ", ..." : ""}`
  return yield* new InvalidInput({
    field: "account",
    problem:
      all.length === 0
        ? "no account is known yet: one is when a task of an agent is submitted"
        : fitting.length === 0
          ? `'${reference}' is not an account. Known: ${listed}`
          : `'${reference}' fits several accounts: ${listed}`,
    example: null
  })
})
