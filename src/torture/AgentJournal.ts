/** What an agent wrote down about itself, apart from everything Backbeat stores. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface AgentJournal {
  /** Each start there was. */
  readonly starts: ReadonlyArray<{ readonly task: string; readonly claim: string; readonly limited: boolean }>
  /** Lines known to be printed. */
  readonly printed: number
  /** Exit codes it was about to leave with. */
  readonly ends: ReadonlyArray<number>
  readonly lines: ReadonlyArray<string>
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

export const readJournal = (root: string, key: string): AgentJournal => {
  const lines = textOf(join(root, "journal", key))
    .split("\n")
    .filter(Boolean)
  // The first word is the time.
  const words = lines.map((line) => line.split(" ").slice(1))
  return {
    starts: words.flatMap(([word, task = "", claim = "", , limit]) =>
      word === "start" ? [{ task, claim, limited: limit !== "unlimited" }] : []
    ),
    printed: Math.max(0, ...words.flatMap(([word, count]) => (word === "printed" ? [Number(count)] : []))),
    ends: words.flatMap(([word, code]) => (word === "end" ? [Number(code)] : [])),
    lines
  }
}
