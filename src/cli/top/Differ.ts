/** What a terminal has to be sent so that it shows the new lines: only those that changed, in one synchronized update. */

const csi = "\u001b["

/** Between these two, terminals that support them draw nothing; other terminals ignore them. https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036 */
const begin = `${csi}?2026h`
const end = `${csi}?2026l`

/** Cursor to a line, everything on it removed, then its text. */
const put = (row: number, text: string): string => `${csi}${row + 1};1H${csi}2K${text}`

/** If `before` is null, the contents of the terminal are unknown. Returns an empty text if nothing has changed. */
export const difference = (before: ReadonlyArray<string> | null, after: ReadonlyArray<string>): string => {
  if (before === null) return `${begin}${csi}2J${after.map((text, row) => put(row, text)).join("")}${end}`
  const rows = Math.max(before.length, after.length)
  let changed = ""
  for (let row = 0; row < rows; row += 1) {
    const text = after[row] ?? ""
    if (text !== (before[row] ?? "")) changed += put(row, text)
  }
  return changed === "" ? "" : `${begin}${changed}${end}`
}
