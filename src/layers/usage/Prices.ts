/** The list prices that come with the program, read when a price is first needed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Rates } from "../../domain/usage/Price.ts"
import { Prices } from "../../services/Prices.ts"
import type { PriceRow } from "./priceTable.ts"

const ratesOf = ([, input, output, cacheRead, cacheWrite]: PriceRow): Rates => ({
  input,
  output,
  ...(cacheRead === null ? {} : { cacheRead }),
  ...(cacheWrite === undefined ? {} : { cacheWrite })
})

/** Without the prefix (`anthropic/`, `us.anthropic.`) and after it (`[1m]`, `:high`). */
const bare = (model: string): string =>
  model
    .toLowerCase()
    .replace(/^.*\//, "")
    .replace(/^(?:[a-z]{2,6}\.)?anthropic\./, "")
    .replace(/[[:].*$/, "")

export const layer = Layer.effect(
  Prices,
  Effect.map(
    Effect.cached(
      Effect.map(
        Effect.promise(() => import("./priceTable.ts")),
        ({ priceTable }) => priceTable.map((row) => ({ pattern: new RegExp(row[0]), rates: ratesOf(row) }))
      )
    ),
    (table) =>
      Prices.of({
        of: (model) => {
          const names = [model.toLowerCase(), bare(model)]
          return Effect.map(table, (rows) => {
            const found = names.map((name) => rows.find(({ pattern }) => pattern.test(name)))
            return found.find((row) => row !== undefined)?.rates ?? null
          })
        }
      })
  )
)
