/** The advice to who waits for a budget: the amount that it names has room. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { parseAmount } from "../../../src/domain/budgets/parseAmount.ts"
import { hasRoom } from "../../../src/domain/budgets/Spend.ts"
import { type HoldView, holdView } from "../../../src/programs/budgets/BudgetView.ts"
import { raiseCommand } from "../../../src/programs/budgets/holdWords.ts"

const micro = 1_000_000

/** Amounts in US dollars, or in tokens. */
const hold = (
  given: Partial<Pick<HoldView, "amount" | "spent" | "used" | "reserved" | "expected" | "metric">>
): { readonly view: HoldView; readonly stored: (amount: number | null) => number } => {
  const { amount = 1, expected = null, metric = "usd", reserved = 0, spent = 0, used = 0 } = given
  const stored = (value: number | null) => Math.round((value ?? 0) * (metric === "usd" ? micro : 1))
  const view = holdView({
    budget: {
      name: "small",
      scope: "all",
      value: "",
      period: "day",
      metric,
      amount: stored(amount),
      warnPercent: 80,
      action: "pause",
      timezone: "UTC",
      from: 0,
      to: null,
      spent: stored(spent),
      used: stored(used),
      reserved: stored(reserved),
      warnedAt: null,
      trippedAt: null
    },
    reserve: expected === null ? null : stored(expected)
  })
  return { view, stored }
}

describe("the command that raises a budget", () => {
  const cases = [
    [{ amount: 0.3, spent: 4.25 }, "5usd"],
    [{ amount: 0.3, spent: 4.25, expected: 0.5 }, "5usd"],
    [{ amount: 0.3, spent: 4.25, reserved: 1.2, expected: 0.5 }, "6usd"],
    [{ amount: 0.3, spent: 4, used: 1 }, "6usd"],
    [{ amount: 1, spent: 0.1, used: 0.2, expected: 1.7 }, "2usd"],
    [{ amount: 10, spent: 9.6, expected: 0.8 }, "20usd"],
    [{ metric: "tokens", amount: 2000, spent: 1999, expected: 200_000 }, "202ktokens"],
    [{ metric: "tokens", amount: 2000, spent: 2000 }, "4000tokens"],
    [{ metric: "tokens", amount: 900_000_000, spent: 1_200_000_000, expected: 700_000_000 }, "1900000ktokens"]
  ] as const

  it("names twice the amount, or what is spent, reserved and expected", () => {
    for (const [given, amount] of cases) {
      assert.strictEqual(raiseCommand(hold(given).view), `beat budget set small --day ${amount}`)
    }
  })

  it("is enough for the task that waits", () => {
    for (const [given, text] of cases) {
      const { view, stored } = hold(given)
      const { amount } = Either.getOrThrow(parseAmount(text))
      const room = { amount, spent: stored(view.spent), used: stored(view.used), reserved: stored(view.reserved) }
      assert.isTrue(hasRoom(room, view.expected === null ? null : stored(view.expected)), text)
    }
  })
})
