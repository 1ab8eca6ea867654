/** An amount of US dollars as people write it, to the cent. */
export const dollars = (usd: number): string => `$${usd.toFixed(2)}`
