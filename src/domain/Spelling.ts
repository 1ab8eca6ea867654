/**
 * Which known word a mistyped one was probably meant to be.
 *
 * Weighed: `fastest-levenshtein`, a dependency for 36 lines, which counts a swap of neighbours, the most frequent slip, as two edits; the function
 * of `@effect/cli` is not exported. Drop this when `@effect/cli` exports one that counts a swap as one edit.
 */

/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
const distance = (from: string, to: string): number => {
  let before: ReadonlyArray<number> = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[to.length] ?? 0
}

/** The candidate closest to `word`, ignoring case, or null when none is close. The first of equals wins. */
export const nearest = (word: string, candidates: Iterable<string>): string | null => {
  const typed = word.slice(0, 64).toLowerCase()
  let best: string | null = null
  let fewest = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = distance(typed, candidate.toLowerCase())
    if (edits < fewest) {
      fewest = edits
      best = candidate
    }
  }
  return best
}
