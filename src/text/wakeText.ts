/** The text that an agent gets when it continues after its tasks have ended. Its length is bounded, whatever they printed. */
import type { AwaitedId, Wake } from "../domain/wake/Wake.ts"
import { cutMiddle } from "./Middle.ts"
import { sanitize } from "./Sanitize.ts"

/** Bytes of all reports together, and the fewest of one. */
const budget = 24_000
const least = 400

/** Names of files in one list. */
const mostFiles = 20

/** One of the awaited tasks, pipelines, loops and contests as it is now. */
export interface Awaited {
  readonly id: AwaitedId
  /** `Task k3v9x2m7q4ab (claude)`. */
  readonly name: string
  readonly title: string
  readonly isOpen: boolean
  /** How it ended, in words. */
  readonly how: string
  /** The answer of what was completed, and why the rest was not. */
  readonly said: string | null
  /** Files that its workspace holds in another form than the base; null where it had none. */
  readonly files: ReadonlyArray<string> | null
}

const named = (files: ReadonlyArray<string>): string =>
  files.length <= mostFiles
    ? files.map(sanitize).join(", ")
    : `${files.slice(0, mostFiles).map(sanitize).join(", ")} and ${files.length - mostFiles} more`

const changesOf = ({ files, id }: Awaited): string | null => {
  if (files === null) return null
  if (files.length === 0) return "It changed no file."
  return `It changed ${named(files)}. Bring this into your directory: MergeTask {"id": "${id}"}`
}

const reportOf = (one: Awaited, room: number): string =>
  [
    `${one.name} ${one.how}: ${sanitize(one.title)}`,
    changesOf(one),
    one.said === null || one.said.trim() === "" ? null : cutMiddle(sanitize(one.said).trim(), room)
  ]
    .filter((line) => line !== null)
    .join("\n")

/** Files that several of them changed. */
const overlaps = (all: ReadonlyArray<Awaited>): ReadonlyArray<string> => {
  const byFile = new Map<string, Array<string>>()
  for (const { files, id } of all) {
    for (const file of files ?? []) byFile.set(file, [...(byFile.get(file) ?? []), id])
  }
  return Array.from(byFile).flatMap(([file, ids]) => (ids.length > 1 ? [`${sanitize(file)} (${ids.join(", ")})`] : []))
}

/** The words of Backbeat, and the reports, which come from the tasks. */
export const wakeText = (wake: Pick<Wake, "askedBy" | "mode" | "n">, all: ReadonlyArray<Awaited>) => {
  const room = Math.max(least, Math.floor(budget / Math.max(1, all.length)))
  const shared = overlaps(all)
  const open = all.filter(({ isOpen }) => isOpen).length
  const begin =
    wake.askedBy === "agent"
      ? `Your tasks have ended (wake ${wake.n}).`
      : `You ended your turn while tasks of yours were open. They have ended by now (wake ${wake.n}).`
  return {
    head: [
      wake.mode === "any" && open > 0 ? `One of your tasks has ended (wake ${wake.n}); ${open} are open.` : begin,
      shared.length === 0
        ? null
        : `Changed by more than one task, so merge these one after the other: ${shared.slice(0, mostFiles).join(", ")}.`,
      "Continue your work with these results. To wait for further tasks, call WakeMe and end your turn."
    ]
      .filter((line) => line !== null)
      .join("\n"),
    reports: all.map((one) => reportOf(one, room)).join("\n\n")
  }
}
