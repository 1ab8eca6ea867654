/** Holds each merge and undo against plain git: all of it is in, or nothing has changed. */
import type { Files, ShopState } from "../load/Shop.ts"

export const mergeInvariant = "a merge is whole, or nothing has changed"

/** One merge or undo, with the repository before it and after it has ended. */
export interface MergeStep {
  readonly before: ShopState
  readonly after: ShopState
  /** The files of the commit of the branch before it. */
  readonly from: Files
  /** What they are once it is whole; null where it has to change nothing. */
  readonly to: Files | null
  /** The files of the commit that is checked out now, and its parents. */
  readonly now: Files
  readonly parents: ReadonlyArray<string>
  /** The commit that an undo goes back to; null: it is a merge. */
  readonly back: string | null
  readonly told: "done" | "refused" | "killed"
  /** Whether a refusal can be explained. */
  readonly mayRefuse: boolean
  /** The newest record of the task. */
  readonly stored: { readonly state: string; readonly merged: string | null } | null
}

const differences = (one: Files, other: Files): ReadonlyArray<string> =>
  Array.from(new Set([...one.keys(), ...other.keys()])).filter((path) => one.get(path) !== other.get(path))

const some = (paths: ReadonlyArray<string>): string =>
  paths.slice(0, 5).join(", ") + (paths.length > 5 ? ` and ${paths.length - 5} more` : "")

/** The files after a step between two commits: those that it does not change are as they were. */
export const stepped = (files: Files, from: Files, to: Files): Files => {
  const after = new Map(files)
  for (const path of differences(from, to)) {
    const name = to.get(path)
    if (name === undefined) after.delete(path)
    else after.set(path, name)
  }
  return after
}

/** What keeps the repository from being in this state. */
const apartFrom = (after: ShopState, wanted: Omit<ShopState, "head">): ReadonlyArray<string> => {
  const files = differences(after.files, wanted.files)
  const index = differences(after.index, wanted.index)
  return [
    ...(after.names === wanted.names ? [] : ["branches, tags, stash or settings changed"]),
    ...(files.length === 0 ? [] : [`files are not as they should be: ${some(files)}`]),
    ...(index.length === 0 ? [] : [`the index is not as it should be: ${some(index)}`])
  ]
}

const wholeProblems = (step: MergeStep, to: Files): ReadonlyArray<string> => {
  const { after, back, before, from, now, parents, stored } = step
  const committed = differences(now, to)
  const isOn = back === null ? parents.length === 1 && parents[0] === before.head : after.head === back
  const wanted = back === null ? "merged" : "undone"
  return [
    ...(isOn ? [] : [`the branch is at ${after.head}, which does not follow from ${before.head}`]),
    ...(committed.length === 0 ? [] : [`the commit has other contents: ${some(committed)}`]),
    ...apartFrom(after, {
      names: before.names,
      files: stepped(before.files, from, to),
      index: stepped(before.index, from, to)
    }),
    ...(stored?.state === wanted && (back !== null || stored.merged === after.head)
      ? []
      : [`it is ${wanted}, and the record says ${stored?.state ?? "nothing"}`])
  ]
}

export const mergeProblems = (step: MergeStep): ReadonlyArray<string> => {
  const { after, back, before, from, mayRefuse, stored, to, told } = step
  const isEmpty = to !== null && differences(from, to).length === 0
  if (after.head === before.head) {
    const isOpen = stored !== null && ["testing", "applying", "undoing"].includes(stored.state)
    const isClaimed =
      back === null ? stored?.state === "merged" && stored.merged !== before.head : stored?.state === "undone"
    return [
      ...apartFrom(after, before),
      ...(isOpen ? [`it is still ${stored.state}`] : []),
      ...(isClaimed && told !== "refused" && !isEmpty
        ? [`the record says ${stored?.state}, and the branch has not moved`]
        : []),
      ...(told === "done" && to !== null && !isEmpty ? ["it was told to be done, and nothing has changed"] : []),
      ...(told === "refused" && to !== null && !mayRefuse ? ["it was refused without a reason"] : [])
    ]
  }
  if (to === null) return ["it had to change nothing, and the branch has moved"]
  return [
    ...wholeProblems(step, to),
    ...(told === "refused" ? ["it was told to be refused, and the branch has moved"] : [])
  ]
}
