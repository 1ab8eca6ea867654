/** The foundation: every table of the first release, in the order in which they refer to one another. */
import * as Effect from "effect/Effect"
import checkpoints from "./foundation/checkpoints.ts"
import dependencies from "./foundation/dependencies.ts"
import pipelines from "./foundation/pipelines.ts"
import schedules from "./foundation/schedules.ts"
import tasks from "./foundation/tasks.ts"

export default Effect.all([tasks, dependencies, pipelines, checkpoints, schedules], { discard: true })
