/** Holds each reclaim and restore against plain git and plain files: nothing is lost, and it comes back as it was sealed. */
import type { Files } from "../load/Shop.ts"

export const reclaimInvariant = "what is reclaimed was sealed, and comes back"

/** A workspace once a reclaim or a restore has ended. */
export interface PlacedWorkspace {
  readonly what: "reclaim" | "restore"
  readonly told: "done" | "refused"
  readonly state: string
  /** Whether its files are in their place, and in the trash that its record names. */
  readonly isThere: boolean
  readonly isInTrash: boolean
  /** The file that was written after the last task; null: none was. */
  readonly late: string | null
  /** The files of the commit that has what came late; null: there is none. */
  readonly lateFiles: Files | null
  /** Each commit of a task in it: by task, whether plain git finds it under its name with all of its files. */
  readonly seals: ReadonlyMap<string, boolean>
  /** The files of its newest seal, and those that are in its place. */
  readonly sealed: Files
  readonly found: Files | null
}

const missing = (wanted: Files, found: Files): ReadonlyArray<string> =>
  Array.from(wanted.keys()).filter((path) => found.get(path) !== wanted.get(path))

export const reclaimProblems = (place: PlacedWorkspace): ReadonlyArray<string> => {
  const { found, isInTrash, isThere, late, lateFiles, sealed, seals, state, told, what } = place
  const lost = Array.from(seals).flatMap(([task, isFound]) =>
    isFound ? [] : [`the commit of task ${task} is not in the repository any more`]
  )
  const isAway = state === "trashed" || state === "gone"
  const where = isAway
    ? [
        ...(isThere ? [`it is ${state}, and its files are still in their place`] : []),
        ...(state === "trashed" && !isInTrash ? ["it is in the trash by its record, and not on disk"] : []),
        ...(late !== null && lateFiles?.has(late) !== true
          ? [`the file ${late}, which came late, is in no commit`]
          : [])
      ]
    : [
        ...(isThere ? [] : [`it is ${state}, and its files are gone`]),
        ...(state === "reclaiming" ? ["it is still being reclaimed after the command has ended"] : [])
      ]
  const outcome =
    told !== "done"
      ? []
      : what === "reclaim"
        ? isAway
          ? []
          : [`it was told to be reclaimed, and is ${state}`]
        : isAway
          ? [`it was told to be restored, and is ${state}`]
          : missing(sealed, found ?? new Map())
              .slice(0, 5)
              .map((path) => `the file ${path} did not come back as it was sealed`)
  return [...lost, ...where, ...outcome]
}
