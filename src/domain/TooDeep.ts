/** How deep a value from outside may be: what is deeper would use up the stack while it is decoded. */

/** Levels of nested lists and objects. */
export const mostLevels = 32

export const isTooDeep = (value: unknown, level = 0): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (level >= mostLevels) return true
  return Object.values(value).some((inner) => isTooDeep(inner, level + 1))
}
