/** The loops of a torture run. */
import type { Dice } from "../Dice.ts"
import { commandTrouble, planStep, type TaskPlan, type Trouble } from "./TaskPlan.ts"

/** Work that is repeated in rounds: each adds a line to a file, and the evaluation counts them. */
export interface LoopPlan {
  readonly key: string
  readonly kind: "until" | "score"
  readonly maxRounds: number
  /** Lines that end the loop. Where that is more than the rounds can write, they are used up. */
  readonly lines: number
  readonly task: TaskPlan
  readonly submitTrouble: Trouble
  readonly cancelAfterMs: number | null
}

const planLoop = (dice: Dice, index: number): LoopPlan => ({
  key: `l${index}`,
  kind: dice.pick(["until", "score"]),
  maxRounds: dice.between(2, 4),
  lines: dice.between(2, 5),
  task: {
    ...planStep(dice, `l${index}`),
    behaviour: "lines",
    exitCode: 0,
    retries: 0,
    lines: dice.between(0, 4),
    pauseMs: 60
  },
  submitTrouble: commandTrouble(dice, ["createLoop.commit", "createLoop.committed"], 0.2),
  cancelAfterMs: dice.chance(0.12) ? dice.between(500, 6000) : null
})

/** Few, because each of their tasks has a workspace, which takes git a second on a slow machine. */
const secondsPerLoop = 20

export const planLoops = (dice: Dice, durationMs: number): ReadonlyArray<LoopPlan> =>
  Array.from({ length: Math.ceil(durationMs / 1000 / secondsPerLoop) }, (_, index) => planLoop(dice, index))
