/** Looks into JSON of which nothing is known. */

export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined

export const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

export const string = (value: unknown): string => (typeof value === "string" ? value : "")

/** The text of a message: a string, or a list of parts that hold one. */
export const textOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (Array.isArray(value)) return value.map(textOf).join("\n")
  if (typeof value !== "object" || value === null) return ""
  for (const name of ["text", "output", "content"]) {
    const inner = field(value, name)
    if (inner !== undefined && inner !== null) return textOf(inner)
  }
  return JSON.stringify(value)
}

export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
