/** The system's name for what went wrong, for example ENOENT: never a text that could repeat an argument. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error"
