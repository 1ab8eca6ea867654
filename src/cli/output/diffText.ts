/** A diff as a person reads it: nothing in it controls the terminal, and lines have the colors that git gives them. */
import type { DiffForm } from "../../services/MergeGit.ts"
import { showControls } from "../../text/Sanitize.ts"
import type { Style, StyleName } from "../framework/Style.ts"

/**
 * git's own colors are codes of the same kind as those that an agent may have written into a file, where one can also make text
 * invisible. So its text comes without, and is colored when the codes in it are gone.
 */
export const diffText = (text: string, form: DiffForm, styles: Readonly<Record<StyleName, Style>>): string => {
  const { bold, cyan, green, red } = styles
  const shown = showControls(text)
  if (form !== "patch") return shown
  let isHead = false
  return shown
    .split("\n")
    .map((line) => {
      if (line.startsWith("diff --git ")) isHead = true
      else if (line.startsWith("@@ ")) {
        isHead = false
        const end = line.indexOf(" @@") + 3
        return `${cyan(line.slice(0, end))}${line.slice(end)}`
      }
      if (isHead) return bold(line)
      return line.startsWith("+") ? green(line) : line.startsWith("-") ? red(line) : line
    })
    .join("\n")
}
