/** What the prompt of a lead says about its tools and its bounds. */
import type { Goal } from "../domain/goal/Goal.ts"
import { moment } from "./FormatDuration.ts"

const tasks = (count: number): string => (count === 1 ? "1 task" : `${count} tasks`)

export const goalText = ({ budgetUsd, deadline, maxDepth, maxRunning, maxTasks, maxWakes, tasks: used, wakes }: Goal) =>
  [
    "You lead this goal. The tools of the MCP server 'backbeat' run other agents for you.",
    "- Do small things yourself. Delegate what is large, or what can be done at the same time: DelegateTask. Each task works in its own workspace, which starts from your files as they are.",
    "- Then call WakeMe and end your turn. You are resumed with the results. Do not wait with WaitTasks or sleep.",
    "- Bring results in with MergeTask, one after the other. A conflict changes nothing: solve it yourself.",
    "- Tasks that still run when you end without WakeMe are ended. The evaluation decides, not what you say.",
    `Bounds, which cannot be exceeded: ${tasks(maxTasks)} in all (${used} used), ${maxRunning} at the same time, ${maxDepth === 1 ? "1 level" : `${maxDepth} levels`} below you, ${maxWakes} wakes (${wakes} used)${budgetUsd === null ? "" : `, $${budgetUsd.toFixed(2)} for all`}${deadline === null ? "" : `, until ${moment(deadline)}`}.`
  ].join("\n")
