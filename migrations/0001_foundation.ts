/** The foundation: every table of the first release, in the order in which they refer to one another. */
import * as Effect from "effect/Effect"
import budgets from "./foundation/budgets.ts"
import checkpoints from "./foundation/checkpoints.ts"
import contests from "./foundation/contests.ts"
import dependencies from "./foundation/dependencies.ts"
import gates from "./foundation/gates.ts"
import goals from "./foundation/goals.ts"
import hooks from "./foundation/hooks.ts"
import limits from "./foundation/limits.ts"
import loops from "./foundation/loops.ts"
import merges from "./foundation/merges.ts"
import messages from "./foundation/messages.ts"
import notices from "./foundation/notices.ts"
import pipelines from "./foundation/pipelines.ts"
import questions from "./foundation/questions.ts"
import schedules from "./foundation/schedules.ts"
import tasks from "./foundation/tasks.ts"
import usage from "./foundation/usage.ts"
import wakes from "./foundation/wakes.ts"
import workers from "./foundation/workers.ts"
import workspaces from "./foundation/workspaces.ts"

export default Effect.all(
  [
    tasks,
    workers,
    workspaces,
    limits,
    dependencies,
    pipelines,
    checkpoints,
    schedules,
    loops,
    goals,
    contests,
    merges,
    usage,
    gates,
    questions,
    messages,
    budgets,
    notices,
    wakes,
    hooks
  ],
  {
    discard: true
  }
)
