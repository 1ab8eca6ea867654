/** Compares a schedule's executions with its rule: each time once, none missing, and every run reported. */

import type { SchedulePlan } from "../load/TaskPlan.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"

interface Execution {
  readonly due_at: number
  readonly status: string
  readonly task_id: string | null
  readonly until_at: number | null
  readonly count: number
}

const invariant = "a schedule fires each time once"

/** Executions that are kept of one schedule. */
const keptRuns = 200

/** How late a run may be in a run of faults, in milliseconds. */
const latestMs = 60_000

/** `runs` are the tasks that the schedule started. */
export const checkSchedule = (
  plan: SchedulePlan,
  runs: ReadonlyArray<TaskRow>,
  store: Store,
  { chronicle }: World
): void => {
  const report = (detail: string) => chronicle.breach(invariant, plan.key, detail)
  const stored = store.rows<{ id: string; runs: number }>("SELECT id, runs FROM schedules WHERE name = ?", plan.key)
  if (stored.length > 1) report(`there are ${stored.length} of that name`)
  const [schedule] = stored
  if (schedule === undefined) {
    if (chronicle.schedules.has(plan.key)) report("it was created, and it is not stored")
    return
  }
  const executions = store.rows<Execution>(
    "SELECT due_at, status, task_id, until_at, count FROM schedule_executions WHERE schedule_id = ? ORDER BY due_at",
    schedule.id
  )
  const started = executions.filter(({ task_id }) => task_id !== null)
  const named = new Set(started.map(({ task_id }) => task_id))
  if (named.size !== started.length) report(`${started.length} runs name ${named.size} tasks`)
  // Only the end of a long history is kept: older tasks have lost their run.
  const since = executions.length < keptRuns ? 0 : (executions[0]?.due_at ?? 0) + latestMs
  const kept = runs.filter(({ created_at, id }) => created_at >= since || named.has(id))
  for (const { id } of kept) if (!named.has(id)) report(`task ${id} belongs to no run`)
  if (kept.length !== started.length) report(`${started.length} runs, ${kept.length} tasks`)
  for (const { due_at, status, task_id } of started) {
    const task = runs.find(({ id }) => id === task_id)
    if (task !== undefined && status !== task.status)
      report(`the run of ${due_at} is ${status}, its task is ${task.status}`)
  }
  // Where every time is run, late or not, one follows the other without a gap.
  if (plan.missed !== "run-all" || plan.overlap !== "allow") return
  for (const [index, { due_at }] of executions.entries()) {
    const before = executions[index - 1]
    if (before === undefined) continue
    const gap = due_at - (before.until_at ?? before.due_at)
    if (gap !== plan.everyMs) report(`after ${before.due_at} comes ${due_at}: ${gap} ms, not ${plan.everyMs}`)
  }
}
