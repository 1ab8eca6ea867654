/** Names, values and tables as TOML text. */
import { type Entry, isEntry } from "./Entry.ts"

export const bare = (key: string): string => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key))
export const dotted = (path: ReadonlyArray<string>): string => path.map(bare).join(".")

/** A JSON text of a string or truth value is a TOML value too. */
export const written = (value: Entry[string]): string => {
  if (Array.isArray(value)) return `[${value.map((each) => JSON.stringify(each)).join(", ")}]`
  if (!isEntry(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, inner]) => `${bare(key)} = ${written(inner)}`)
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`
}

/** The table as it is written where there was none. */
export const tomlTable = (path: ReadonlyArray<string>, entry: Entry): string =>
  [`[${dotted(path)}]`, ...Object.entries(entry).map(([key, value]) => `${bare(key)} = ${written(value)}`)].join("\n")
