/** The task of a schedule or of a pipeline step whose work is a loop. */
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import { titleOf } from "../../domain/task/Task.ts"
import { asShellCommand } from "../tasks/asShellCommand.ts"
import type { Submission } from "../tasks/prepareTask.ts"

/**
 * It begins the loop when it starts, waits for its end without a process, and hands on what the best round left. How long the work may
 * take is said by the loop.
 */
export const loopTask = (work: Submission, plan: LoopPlan): Submission => ({
  ...asShellCommand(work, `# Loop: ${titleOf(plan.steps[0]?.prompt ?? "")}\n`),
  continueFrom: work.continueFrom ?? null,
  closing: null,
  timeoutMs: null,
  loop: plan
})
