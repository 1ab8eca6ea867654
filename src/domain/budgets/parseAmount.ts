/** Reads an amount of money or of tokens as people write it. */
import * as Either from "effect/Either"
import type { Budget } from "./Budget.ts"

/** `15`, `$15`, `15usd`: US dollars. */
export const parseMoney = (text: string): Either.Either<number, string> => {
  const found = /^\$?(\d{1,9}(?:\.\d+)?)\s*(?:usd)?$/i.exec(text.trim())
  const value = Number(found?.[1])
  return value > 0 ? Either.right(value) : Either.left(`'${text}' is not an amount of money; use e.g. 15usd`)
}

const factors: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1_000_000, g: 1_000_000_000 }

/** Money, or `500ktokens`, `2Mtok`. Money is in millionths of a US dollar. */
export const parseAmount = (text: string): Either.Either<Pick<Budget, "metric" | "amount">, string> => {
  const found = /^(\d{1,9}(?:\.\d+)?)\s*([kmg]?)\s*tok(?:ens?)?$/i.exec(text.trim())
  const tokens = Math.round(Number(found?.[1]) * (factors[found?.[2]?.toLowerCase() ?? ""] ?? 1))
  if (tokens > 0) return Either.right({ metric: "tokens", amount: tokens })
  const money = Either.map(parseMoney(text), (usd) => Math.round(usd * 1_000_000))
  return Either.isRight(money) && money.right > 0
    ? Either.right({ metric: "usd", amount: money.right })
    : Either.left(`'${text}' is not an amount; use e.g. 10usd or 2Mtokens`)
}
