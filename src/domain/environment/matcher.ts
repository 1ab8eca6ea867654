/** Matches names of environment variables: each word is a name, or a beginning of names with `*` at its end. */
export const matcher = (text: string): ((name: string) => boolean) => {
  const names = text.trim().split(/\s+/)
  const exact = new Set(names.filter((name) => !name.endsWith("*")))
  const beginnings = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))
  return (name) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning))
}
