/** The system's name for what went wrong, for example ENOENT: never a text that could repeat an argument. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error"

const remedies: ReadonlyMap<string, string> = new Map([
  ["EACCES", " Check its permissions."],
  ["EPERM", " Check its permissions."],
  ["EROFS", " Its file system is read-only."],
  ["ENOSPC", " Free space on its disk."],
  ["EDQUOT", " The disk quota of the user is used up."]
])

/** The code in parentheses and a sentence that says what helps, where one is known. */
export const inWords = (error: unknown): string => {
  const code = codeOf(error)
  return `(${code}).${remedies.get(code) ?? ""}`
}
