/**
 * Writes src/layers/usage/priceTable.ts from the price list of @pydantic/genai-prices: `node build/prices.mjs`. Run it after that package
 * was updated; with `--check`, which a test runs, it compares the two. At run time the package itself would weigh 477 kB and know more than is used.
 */
import { readFile, writeFile } from "node:fs/promises"
import { calcPrice, findProvider } from "@pydantic/genai-prices"

const file = "src/layers/usage/priceTable.ts"

const quoted = (text) => text.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** The condition of a model as one regular expression. */
const pattern = (match) => {
  const [[kind, value]] = Object.entries(match)
  switch (kind) {
    case "equals":
      return `^${quoted(value)}$`
    case "starts_with":
      return `^${quoted(value)}`
    case "ends_with":
      return `${quoted(value)}$`
    case "contains":
      return quoted(value)
    case "regex":
      return value
    case "or":
      return value.map(pattern).join("|")
    case "and":
      return `^${value.map((one) => `(?=.*?(?:${pattern(one).replace(/^\^/, "(?<=^)")}))`).join("")}`
    default:
      throw new Error(`unknown condition ${kind}`)
  }
}

/** Prices may have a beginning, of which the last counts, and steps by size, of which the first counts. */
const current = (prices) => (Array.isArray(prices) ? prices.at(-1).prices : prices)
const base = (price) => (typeof price === "object" ? price.base : price)

const priceTable = ["anthropic", "openai", "google"].flatMap((providerId) =>
  findProvider({ providerId }).models.flatMap(({ match, prices }) => {
    const { cache_read_mtok, cache_write_mtok, input_mtok, output_mtok } = current(prices)
    if (input_mtok === undefined || output_mtok === undefined) return []
    const row = [pattern(match), base(input_mtok), base(output_mtok), base(cache_read_mtok) ?? null]
    return [cache_write_mtok === undefined ? row : [...row, base(cache_write_mtok)]]
  })
)

const source = async () => {
  const { version } = JSON.parse(await readFile("node_modules/@pydantic/genai-prices/package.json", "utf8"))
  return `/**
 * List prices in US dollars for a million tokens: a pattern for the model, input, output, read from a cache, written to one.
 * Made by build/prices.mjs from @pydantic/genai-prices ${version}. The first row that matches counts.
 */
export type PriceRow = readonly [
  model: string,
  input: number,
  output: number,
  cacheRead: number | null,
  cacheWrite?: number
]

// biome-ignore format: one model is one line
export const priceTable: ReadonlyArray<PriceRow> = [
${priceTable.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}
]
`
}

/** Asks the package itself for the price of each model that it names, and compares. Prices that depend on the time are left out. */
const check = async () => {
  if ((await readFile(file, "utf8")) !== (await source())) throw new Error("run: node build/prices.mjs")
  let compared = 0
  for (const providerId of ["anthropic", "openai", "google"]) {
    for (const { match, prices } of findProvider({ providerId }).models) {
      if (Array.isArray(prices)) continue
      for (const { equals } of match.or ?? [match]) {
        const row = equals === undefined ? undefined : priceTable.find(([pattern]) => new RegExp(pattern).test(equals))
        const asked = calcPrice({ input_tokens: 1000, output_tokens: 100 }, equals ?? "", { providerId })
        if (row === undefined || asked === null) continue
        compared += 1
        const own = (row[1] * 1000 + row[2] * 100) / 1e6
        if (Math.abs(own - asked.total_price) > 1e-9) throw new Error(`${equals}: ${own}, not ${asked.total_price}`)
      }
    }
  }
  process.stdout.write(`${compared} prices compared\n`)
}

if (process.argv[2] === "--check") await check()
else await writeFile(file, await source())
