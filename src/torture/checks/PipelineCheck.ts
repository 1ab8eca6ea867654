/** Holds pipelines against their steps: whole or not there, in order, and ended once when the last step has. */

import type { PipelinePlan } from "../load/TaskPlan.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import type { World } from "../World.ts"

interface Pipeline {
  readonly id: string
  readonly idempotency_key: string | null
}

interface End {
  readonly seq: number
  readonly status: string
}

const invariant = "a pipeline ends with its last step"

const statusOf = (steps: ReadonlyArray<TaskRow>): string => {
  if (steps.some(({ status }) => status === "failed")) return "failed"
  return steps.some(({ status }) => status === "cancelled") ? "cancelled" : "completed"
}

export const checkPipelines = (
  plans: ReadonlyArray<PipelinePlan>,
  byId: ReadonlyMap<string, TaskRow>,
  store: Store,
  { chronicle }: World
): void => {
  const stored = store.rows<Pipeline>("SELECT id, idempotency_key FROM pipelines ORDER BY seq")
  for (const plan of plans) {
    const found = stored.filter(({ idempotency_key }) => idempotency_key === plan.key)
    const told = chronicle.acceptedPipelines.get(plan.key)
    const report = (what: string, detail: string) => chronicle.breach(what, plan.key, detail)
    if (told !== undefined && !found.some(({ id }) => id === told)) {
      report("what was accepted is there", `pipeline ${told} is not stored`)
    }
    for (const { id } of found) {
      const places = store.rows<{ task_id: string }>(
        "SELECT task_id FROM pipeline_steps WHERE pipeline_id = ? ORDER BY position",
        id
      )
      const steps = places.flatMap(({ task_id }) => byId.get(task_id) ?? [])
      if (steps.length !== plan.steps.length)
        report(invariant, `${steps.length} of ${plan.steps.length} steps are stored`)
      for (const [index, step] of steps.entries()) {
        const before = steps[index - 1]
        if (step.retried_by !== null)
          report(invariant, `step ${step.id} was tried again, and the pipeline does not know`)
        if (
          before !== undefined &&
          step.started_at !== null &&
          (before.ended_at ?? Number.POSITIVE_INFINITY) > step.started_at
        ) {
          report("a task starts when it may", `step ${step.id} started before the end of ${before.id}`)
        }
      }
      const ends = store.rows<End>("SELECT seq, status FROM outbox WHERE kind = 'pipeline' AND id = ?", id)
      const last = Math.max(
        0,
        ...steps.map(
          (step) =>
            store.one<{ seq: number }>("SELECT seq FROM outbox WHERE kind = 'task' AND id = ?", step.id)?.seq ?? 0
        )
      )
      const [end, ...more] = ends
      if (!steps.every(ended)) {
        if (end !== undefined) report(invariant, `pipeline ${id} has ended, and not all of its steps have`)
      } else if (end === undefined) report(invariant, `all steps of ${id} have ended, and it has not`)
      else if (more.length > 0) report(invariant, `pipeline ${id} has ended ${ends.length} times`)
      else if (end.status !== statusOf(steps))
        report(invariant, `pipeline ${id} is ${end.status}, its steps say ${statusOf(steps)}`)
      else if (end.seq < last) report(invariant, `pipeline ${id} ended before its last step`)
    }
  }
}
