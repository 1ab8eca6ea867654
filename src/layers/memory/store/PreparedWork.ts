/** Draws the ids that a run of scheduled work needs, before the step that stores it. */
import * as Effect from "effect/Effect"
import { fingerprint } from "../../../domain/pipeline/Pipeline.ts"
import { tasksOf, type Work } from "../../../domain/schedule/Schedule.ts"
import { withFreshSession } from "../../../domain/task/NewTask.ts"
import type { Ids } from "../../../services/Ids.ts"

export const prepareWork = (ids: Ids["Type"], work: Work) =>
  Effect.gen(function* () {
    const tasks = yield* Effect.forEach(tasksOf(work), (task) =>
      Effect.all({ id: ids.task, task: Effect.map(ids.uuid, (session) => withFreshSession(task, session)) })
    )
    if (work.kind === "task") return { tasks, pipeline: null }
    return { tasks, pipeline: { id: yield* ids.pipeline, digest: yield* ids.digest(fingerprint(work.pipeline)) } }
  })
