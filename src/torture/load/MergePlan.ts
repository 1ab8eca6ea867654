/** The isolated tasks of a torture run, and what is done with what they leave: merges, undos, reclaims and restores. */
import type { Dice } from "../Dice.ts"
import type { Focus } from "./LimitPlan.ts"
import { commandTrouble, planStep, type TaskPlan, type Trouble } from "./TaskPlan.ts"

/** Files in each of these directories of the repository. */
export const groups = 4
export const groupFiles = 60

/** Work in a workspace: a line more in each file of a directory, a new file, one file less. Two of one directory do not fit together. */
export interface IsolatedPlan {
  readonly key: string
  readonly group: number
  /** It leaves a file that the check does not let pass. */
  readonly breaks: boolean
  readonly task: TaskPlan
  readonly submitTrouble: Trouble
}

/** `killApplyingMs`: the command and the git below it, so long after git has begun to change files. */
export type StepTrouble = Trouble | { readonly killApplyingMs: number }

/** `pick` chooses among the candidates at that moment. */
export type StepPlan = { readonly pick: number; readonly trouble: StepTrouble } & (
  | {
      readonly what: "merge"
      readonly check: boolean
      /** A file that the merge changes has an uncommitted edit. */
      readonly inTheWay: boolean
      readonly settle: Settle
    }
  | { readonly what: "undo"; readonly settle: Settle }
  | { readonly what: "dry-run" }
  /** `late`: a file was written after the last task. */
  | { readonly what: "reclaim"; readonly late: boolean }
  | { readonly what: "restore" }
)

/** What is done after a kill: the same again, or the doctor; and where the process dies that takes the merge over. */
export interface Settle {
  readonly by: "again" | "doctor"
  readonly failpoint: string | null
}

const access = (name: string) => [`${name}.commit`, `${name}.committed`]

const mergePoints = [
  "merge.begun",
  "merge.applying",
  "merge.recorded",
  // Most depends on this: all of it is done, and the record does not say so.
  ...Array.from({ length: 5 }, () => "merge.applied"),
  ...access("beginMerge"),
  ...access("changeMerge")
]
const undoPoints = ["undo.begun", "undo.putBack", "undo.putBack", "undo.moved", "undo.moved", ...access("changeMerge")]
const recoveryPoints = ["merge.torn", "merge.putBack", "undo.putBack"]
const reclaimPoints = [
  "reclaim.begun",
  "seal.tree",
  "seal.committed",
  "seal.named",
  "seal.home",
  "reclaim.sealed",
  "reclaim.renamed",
  ...access("reclaimWorkspace"),
  ...access("workspaceTrashed")
]
const restorePoints = ["restore.placed", ...access("workspaceRestored")]

const settle = (dice: Dice): Settle => ({
  by: dice.chance(0.6) ? "again" : "doctor",
  failpoint: dice.chance(0.3) ? dice.pick(recoveryPoints) : null
})

/** Mostly at a step: a command that is killed at random has often done nothing yet. */
const stepTrouble = (dice: Dice, points: ReadonlyArray<string>, applies: boolean): StepTrouble => {
  switch (
    dice.weighted([
      [6, "step"],
      [applies ? 4 : 0, "apply"],
      [1, "random"],
      [3, "none"]
    ] as const)
  ) {
    case "step":
      return { failpoint: dice.pick(points) }
    case "apply":
      return { killApplyingMs: dice.between(0, 25) }
    case "random":
      return { killAfterMs: dice.between(100, 1500) }
    case "none":
      return null
  }
}

const planOne = (dice: Dice): StepPlan => {
  const pick = dice.fraction()
  const what = dice.weighted<StepPlan["what"]>([
    [12, "merge"],
    [8, "undo"],
    [1, "dry-run"],
    [5, "reclaim"],
    [3, "restore"]
  ])
  switch (what) {
    case "merge":
      return {
        what,
        pick,
        check: dice.chance(0.2),
        inTheWay: dice.chance(0.2),
        trouble: stepTrouble(dice, mergePoints, true),
        settle: settle(dice)
      }
    case "undo":
      return { what, pick, trouble: stepTrouble(dice, undoPoints, true), settle: settle(dice) }
    case "dry-run":
      return { what, pick, trouble: null }
    case "reclaim":
      return { what, pick, late: dice.chance(0.7), trouble: stepTrouble(dice, reclaimPoints, false) }
    case "restore":
      return { what, pick, trouble: stepTrouble(dice, restorePoints, false) }
  }
}

const planIsolated = (dice: Dice, index: number): IsolatedPlan => ({
  key: `i${index}`,
  group: dice.between(0, groups - 1),
  breaks: dice.chance(0.15),
  task: {
    ...planStep(dice, `i${index}`),
    behaviour: "lines",
    // Before the rest of the load: without them there is nothing to merge.
    priority: "P0",
    exitCode: dice.pick([0, 0, 0, 5]),
    retries: 0,
    lines: dice.between(0, 2),
    pauseMs: 20
  },
  submitTrouble: commandTrouble(dice, ["enqueue.commit", "enqueue.committed"], 0.2)
})

/** Few, because each has a workspace. A merge and an undo leave as much to do as there was before. */
const secondsPerTask: Readonly<Record<Focus, number>> = { everything: 5, limits: 5, merges: 2 }

/** More than can be done in the time, and where the run is below its floors. */
const stepsPerSecond = 4

export interface MergePlans {
  readonly tasks: ReadonlyArray<IsolatedPlan>
  readonly steps: ReadonlyArray<StepPlan>
}

export const planMerges = (dice: Dice, durationMs: number, focus: Focus): MergePlans => {
  const seconds = durationMs / 1000
  return {
    tasks: Array.from({ length: Math.ceil(seconds / secondsPerTask[focus]) + 2 }, (_, index) =>
      planIsolated(dice, index)
    ),
    steps: Array.from({ length: Math.ceil(seconds * stepsPerSecond) }, () => planOne(dice))
  }
}

/** The failpoints of a step, with those of the process that settles it. */
export const failpointsOf = (step: StepPlan): ReadonlyArray<string> => [
  ...(step.trouble !== null && "failpoint" in step.trouble ? [step.trouble.failpoint] : []),
  ...("settle" in step && step.settle.failpoint !== null ? [step.settle.failpoint] : [])
]
