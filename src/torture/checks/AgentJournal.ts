/** What an agent wrote down about itself, apart from everything Backbeat stores. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface AgentJournal {
  /** Each start there was; `asked` are the lines and the exit code that its prompt named. */
  readonly starts: ReadonlyArray<{
    readonly claim: string
    readonly limited: boolean
    readonly asked: string
    readonly umask: string
  }>
  /** Lines known to be printed. */
  readonly printed: number
  /** When it noted how many lines were printed, in seconds since the boot of the machine. */
  readonly progress: ReadonlyArray<{ readonly at: number; readonly lines: number }>
  /** The messages that it got, in order. */
  readonly heard: ReadonlyArray<string>
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

/** Whatever agents were started for this key, each line with the time and the id of the task. */
export const journalLines = (root: string, key: string): ReadonlyArray<string> =>
  textOf(join(root, "journal", key))
    .split("\n")
    .filter(Boolean)

/** What the agent of this one task wrote: its attempts share a key. */
export const readJournal = (root: string, key: string, task: string): AgentJournal => {
  const lines = journalLines(root, key).filter((line) => line.split(" ")[1] === task)
  const words = lines.map((line) => line.split(" ").slice(2))
  return {
    starts: words.flatMap(([word, claim = "", , limit, umask = "", ...asked]) =>
      word === "start" ? [{ claim, limited: limit !== "unlimited", umask, asked: asked.join(" ") }] : []
    ),
    printed: Math.max(0, ...words.flatMap(([word, count]) => (word === "printed" ? [Number(count)] : []))),
    progress: lines.flatMap((line) => {
      const [at, , word, count] = line.split(" ")
      return word === "printed" ? [{ at: Number(at), lines: Number(count) }] : []
    }),
    heard: words.flatMap(([word, said]) => (word === "heard" && said !== undefined ? [said] : [])),
    ends: words.flatMap(([word, code]) => (word === "end" ? [Number(code)] : [])),
    lines
  }
}
