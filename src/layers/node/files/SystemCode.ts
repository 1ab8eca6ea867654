/** The system's name for what went wrong, for example ENOENT: never a text that could repeat an argument. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error"

const permissions = " Check its permissions."
const space = " Free disk space."

const remedies: ReadonlyMap<string, string> = new Map([
  ["EACCES", permissions],
  ["EPERM", permissions],
  ["EROFS", " The disk is read-only."],
  ["ENOSPC", space],
  ["EDQUOT", space]
])

/** The code in parentheses and a sentence that says what helps, where one is known. */
export const inWords = (error: unknown): string => {
  const code = codeOf(error)
  return `(${code}).${remedies.get(code) ?? ""}`
}
