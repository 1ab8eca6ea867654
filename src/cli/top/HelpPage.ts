/** The page of keys. */
import { type KeyHelp, listKeys, pagerKeys } from "./Keys.ts"
import type { Line } from "./Span.ts"
import { rowStates } from "./TaskLine.ts"

const keyLine =
  (width: number) =>
  ({ keys, what }: KeyHelp): Line => [{ text: ` ${keys.padEnd(width)}`, style: "bold" }, { text: ` ${what}` }]

/** All lines of the page. */
export const helpText = (columns: number): ReadonlyArray<Line> => {
  const width = columns < 60 ? 13 : 20
  const states = Object.values(rowStates).map(({ letter, word }) => `${letter} ${word}`)
  return [
    [{ text: " Tasks", style: "bold" }],
    ...listKeys.map(keyLine(width)),
    [],
    [{ text: " Output, diff and facts on the whole screen", style: "bold" }],
    ...pagerKeys.map(keyLine(width)),
    [],
    [{ text: " Signs: > the selected task  * marked  + both", style: "dim" }],
    [{ text: ` Letters on a narrow screen: ${states.slice(0, 7).join(", ")}`, style: "dim" }],
    [{ text: ` ${states.slice(7).join(", ")}`, style: "dim" }],
    [{ text: " Every command is shown before it is run. --plain is the same as lines of text.", style: "dim" }]
  ]
}

export const helpLines = (columns: number, height: number, top: number): ReadonlyArray<Line> => {
  const lines = helpText(columns)
  const from = Math.max(0, Math.min(top, lines.length - height))
  return lines.slice(from, from + height)
}
