/** Finds a key that an object of a JSON text has twice: `JSON.parse` keeps only the last, so a file that is written again loses the others. */

/** The first such key; null where there is none. The text is valid JSON. */
export const repeatedKey = (json: string): string | null => {
  const open: Array<Set<string>> = []
  for (const [token, text] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") open.push(new Set())
    else if (token === "}") open.pop()
    else if (text !== undefined) {
      const key: string = JSON.parse(text)
      const keys = open[open.length - 1]
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return null
}
