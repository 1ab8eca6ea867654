/** Text styles, which do nothing when colour is off. */
import type { Screen } from "./Terminal.ts"

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39]
} as const

export type StyleName = keyof typeof codes
export type Style = (text: string) => string

/** The styles of a screen. Sanitize the text first: it must contain no control bytes. */
export const stylesOf = (screen: Screen): Readonly<Record<StyleName, Style>> => {
  const style = (name: StyleName): Style => {
    const [on, off] = codes[name]
    return screen.colour ? (text) => (text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`) : (text) => text
  }
  return {
    bold: style("bold"),
    dim: style("dim"),
    red: style("red"),
    green: style("green"),
    yellow: style("yellow"),
    blue: style("blue"),
    cyan: style("cyan")
  }
}
