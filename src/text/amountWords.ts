/** Money and tokens in words: `$3.07`, `$0.0042`, `412k tokens`. */

const units = [
  [1_000_000_000, "G"],
  [1_000_000, "M"],
  [1000, "k"]
] as const

/** `950`, `9.8k`, `412k`, `61.2M`. */
export const tokenWords = (count: number): string => {
  const [size, unit] = units.find(([least]) => count >= least * 0.9995) ?? [1, ""]
  const value = count / size
  return unit === "" ? String(count) : `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${unit}`
}

/** `$3.07`, `$0.0042`. */
export const dollarWords = (usd: number): string => `$${usd > 0 && usd < 0.1 ? usd.toFixed(4) : usd.toFixed(2)}`

/** Of US dollars, or of tokens. */
export const amountWords = (metric: "usd" | "tokens", amount: number): string =>
  metric === "usd" ? dollarWords(amount) : `${tokenWords(amount)} tokens`
