/** Names and values under each other: what `status` and `doctor` show. */
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { pad, widthOf, wrap } from "./Layout.ts"

/** A name and its value; null omits the line. Long values wrap in the column next to their name. */
export type Pair = readonly [name: string, value: string | null]

export const pairs = (entries: ReadonlyArray<Pair>, screen: Screen): ReadonlyArray<string> => {
  const { dim } = stylesOf(screen)
  const left = Math.max(0, ...entries.map(([name]) => widthOf(name)))
  const room = screen.columns === null ? Number.MAX_SAFE_INTEGER : Math.max(16, screen.columns - left - 2)
  return entries.flatMap(([name, value]) => {
    if (value === null) return []
    const lines = value.split("\n").flatMap((line) => (widthOf(line) <= room ? [line] : wrap(line, room)))
    return lines.map((line, at) => `${dim(pad(at === 0 ? name : "", left))}  ${line}`.trimEnd())
  })
}
